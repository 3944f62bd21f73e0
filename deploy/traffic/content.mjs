/** What users send: questions, claims, and what a model answers to them. */

const WORDS = (
  'account address agreement airport amount answer apartment appointment autumn balance basket bicycle booking bottle ' +
  'branch bridge budget building camera cancel carpet cellar change charge cheque childcare city claim climate closing ' +
  'coffee colour company compare contract copy corner course cover credit currency customer damage date deadline delay ' +
  'delivery deposit discount doctor document door double driver early email engine evening exchange expense explain ' +
  'family fault festival field flight floor folder foreign forest form friend furniture garage garden gift glass guide ' +
  'harbour heating height holiday hospital hotel house income insurance invoice island jacket journey kitchen ladder ' +
  'laptop late lawyer leather letter library licence limit loan luggage machine market measure medicine meeting member ' +
  'message mirror mobile money monthly morning museum neighbour network notice number office online opening order owner ' +
  'package paper parcel parking partner passport password payment pension permit phone picture platform player policy ' +
  'postal power premium price printer private product profile project promise proof receipt record refund region rent ' +
  'repair replace report request reserve return river road roof salary sample school season seat second secure service ' +
  'shipping shop signature size spare spring station storage street summer supply support survey table tariff tax ticket ' +
  'timetable tool tourist tower traffic train transfer travel tree trial update upgrade urgent valley vehicle village ' +
  'visit voucher waiting wall warranty washing water weather website weekend weight window winter wood work yearly zone'
).split(' ')
const OPENINGS = [
  'How do I',
  'Where can I',
  'Why did you',
  'Can you',
  'Please',
  'When will you',
  'I want to',
  'Who may',
]
const REGIONS = ['north', 'south', 'east', 'west', 'islands']
const VEHICLES = ['car', 'van', 'bicycle', 'motorbike', 'boat']
const CLASSES = 4

/** A question that nobody else asks. */
export function question({ pick, below }) {
  const words = Array.from({ length: 9 + below(8) }, () => pick(WORDS))
  return `${pick(OPENINGS)} ${words.join(' ')}?`
}

/** The question with one word changed. */
export function reworded(text, { pick, below }) {
  const words = text.split(' ')
  words[below(words.length)] = pick(WORDS)
  return words.join(' ')
}

/** A claim as a row. */
export function claim({ between, below, pick }) {
  return {
    age: 18 + below(65),
    region: pick(REGIONS),
    vehicle: pick(VEHICLES),
    value: Math.round(10 ** between(2.5, 5)),
    damage: Math.round(10 ** between(1.5, 4.5)),
    previous_claims: below(6),
    night: below(2) === 1,
    days_since_contract: below(4000),
  }
}

/** The claim with its damage moved by a few percent. */
export function nudged(row, { between }) {
  return { ...row, damage: Math.round(row.damage * between(0.97, 1.03)) }
}

/** Probabilities of a model that is sure of its answer. */
export function sureOutput({ between, below }) {
  return output(between(0.75, 0.98), below(CLASSES))
}

/** Probabilities of a model that does not know: the query stands near a boundary. */
export function unsureOutput({ between, below }) {
  return output(between(0.25, 0.28), below(CLASSES))
}

function output(highest, winner) {
  return Array.from({ length: CLASSES }, (_, i) => (i === winner ? highest : (1 - highest) / (CLASSES - 1)))
}
