import { FRAMEWORK_ROWS } from './rows.ts';

/** A control, the checks that bear on it, and what software cannot tell of it. */
export interface Control {
  readonly framework: string;
  readonly id: string;
  readonly title: string;
  readonly checks: readonly string[];
  /** What a person must look at. */
  readonly person: string;
}

/** Every control. `framework | id | title | checks | person`, one a line in `rows.ts`. */
export const CONTROLS: readonly Control[] = FRAMEWORK_ROWS.trim()
  .split('\n')
  .map((line) => {
    const [framework = '', id = '', title = '', checks = '', person = ''] = line
      .split('|')
      .map((cell) => cell.trim());
    return { framework, id, title, checks: checks.split(' ').filter((check) => check !== ''), person };
  });

/** Claims that are often made, and what the texts say. */
export const CORRECTIONS: readonly string[] = [
  'HIPAA does not name AES-256. 45 CFR 164.312(a)(2)(iv) names no algorithm; breach safe harbour refers to NIST guidance.',
  'No law names a yearly rotation of keys. It is practice; PCI DSS 3.7.4 asks for a cryptoperiod that you define.',
  'Nobody certifies software for HIPAA. A report like this one is evidence for the people who judge.',
  'The six years of 164.316(b)(2) are for documentation; how long charts are kept is the law of the states.',
];
