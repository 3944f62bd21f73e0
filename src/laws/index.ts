/**
 * The laws that every detector obeys, as a list of checks for any test runner:
 *
 *     for (const { name, check } of lawsOf(subject)) test(name, check)
 *
 * Each check throws, with what was expected and what came, if the law is broken. Users run the same list over detectors
 * of their own.
 */
export { lawsOf } from './laws.ts'
export { areaUnderRoc } from './roc.ts'
export type { AsyncSubject, Law, LawSubject } from './subject.ts'
