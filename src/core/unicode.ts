/**
 * One Unicode for every engine. Engines carry tables of different age: of those that are current some have 16.0, others
 * 17.0. A character that only the newer ones know would have another lower case and another normal form there, and a text
 * with it another fingerprint and another vector. Hence no engine is asked about characters that came after Unicode 15.0,
 * which all of them have. Of the older ones Unicode promises to keep the normal forms and the pairs of cases.
 */

/**
 * The inside of a character class: what was unassigned in Unicode 15.0, where 15.1 … 17.0 have begun to fill the gap or
 * the gap has 64 places or more. A later Unicode that fills a smaller gap adds it here: the streams over every character
 * in `test/runtime/matrix` show it. Without U+E0000 … E0FFF: Unicode has set all of them apart as invisible.
 */
const NEWER =
  '\\u088f\\u0892-\\u0897\\u0c5b\\u0c5c\\u0cd7-\\u0cdc\\u1acf-\\u1aff\\u1b4d-\\u1b4f\\u1b7f\\u1c89-\\u1c8f' +
  '\\u20c1-\\u20cf\\u2427-\\u243f\\u2b96\\u2ffc-\\u2fff\\u31e4-\\u31ef\\ua7cb-\\ua7cf\\ua7d2\\ua7d4\\ua7da-\\ua7f1' +
  '\\ufbc3-\\ufbd2\\ufd90\\ufd91\\ufdc8-\\ufdce\\u{101fe}-\\u{1027f}\\u{105bd}-\\u{105ff}\\u{107bb}-\\u{107ff}' +
  '\\u{10940}-\\u{1097f}\\u{10bb0}-\\u{10bff}\\u{10d3a}-\\u{10e5f}\\u{10eb2}-\\u{10efc}\\u{11375}-\\u{113ff}' +
  '\\u{114da}-\\u{1157f}\\u{116ca}-\\u{116ff}\\u{11747}-\\u{117ff}\\u{1183c}-\\u{1189f}\\u{1195a}-\\u{1199f}' +
  '\\u{11b0a}-\\u{11bff}\\u{11cb7}-\\u{11cff}\\u{11daa}-\\u{11edf}\\u{11f5a}-\\u{11faf}\\u{1239a}-\\u{123ff}' +
  '\\u{12544}-\\u{12f8f}\\u{13456}-\\u{143ff}\\u{14647}-\\u{167ff}\\u{16b90}-\\u{16e3f}\\u{16e9b}-\\u{16eff}' +
  '\\u{16fa0}-\\u{16fdf}\\u{16ff2}-\\u{16fff}\\u{187f8}-\\u{187ff}\\u{18cd6}-\\u{18cff}\\u{18d09}-\\u{1afef}' +
  '\\u{1b2fc}-\\u{1bbff}\\u{1bca4}-\\u{1ceff}\\u{1d246}-\\u{1d2bf}\\u{1d379}-\\u{1d3ff}\\u{1dab0}-\\u{1deff}' +
  '\\u{1df2b}-\\u{1dfff}\\u{1e090}-\\u{1e0ff}\\u{1e150}-\\u{1e28f}\\u{1e300}-\\u{1e4cf}\\u{1e4fa}-\\u{1e7df}' +
  '\\u{1e960}-\\u{1ec70}\\u{1ecb5}-\\u{1ed00}\\u{1ed3e}-\\u{1edff}\\u{1eef2}-\\u{1efff}\\u{1f266}-\\u{1f2ff}' +
  '\\u{1f6d8}-\\u{1f6db}\\u{1f777}-\\u{1f77a}\\u{1f8b2}-\\u{1f8ff}\\u{1fa54}-\\u{1fa5f}\\u{1fa89}-\\u{1fa8f}' +
  '\\u{1fabe}\\u{1fac6}-\\u{1facd}\\u{1fadc}-\\u{1fadf}\\u{1fae9}-\\u{1faef}\\u{1fbcb}-\\u{1fbef}' +
  '\\u{1fbfa}-\\u{1ffff}\\u{2b73a}-\\u{2b73f}\\u{2cea2}-\\u{2ceaf}\\u{2ebe1}-\\u{2f7ff}\\u{2fa1e}-\\u{2ffff}' +
  '\\u{323b0}-\\u{dffff}\\u{e1000}-\\u{effff}'

/** True where a text may hold such characters: a quick look that passes over most texts of today but for emoji. */
export const MAY_BE_NEWER = /[\u0295\u088f-\u1cff\u20c1-\u2fff\u31e4-\u31ef\ua7cb-\ua7f1\ud800-\udbff\ufbc3-\ufdce]/

/** Characters newer than Unicode 15.0. */
export const NEWER_RUN = /* @__PURE__ */ runOf('', '')

/**
 * Characters whose lower case every engine knows. Two older ones are left out because they have since lost what decides
 * the lower case of a Σ beside them; they themselves have one case.
 */
export const KNOWN_RUN = /* @__PURE__ */ runOf('^', '\\u0295\\u{1171e}')

// A function, so that bundlers see that nothing is lost when the expressions are left out.
function runOf(not: string, more: string): RegExp {
  return new RegExp(`[${not}${NEWER}${more}]+`, 'gu')
}
