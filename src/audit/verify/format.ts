import { overall, type Report } from './report.ts';

const MARKS = { pass: 'ok', fail: 'FAIL', unknown: 'unknown', skipped: 'not checked' } as const;
const SHOWN = 5;

/** The report as a small aligned table for people: a verdict a line, and what failed below it. */
export function formatReport(report: Report): string {
  const { tenant, covered, sequenced, pending, signedAt } = report;
  const head = [
    `Audit log of ${tenant}: ${covered} events signed${signedAt === null ? '' : ` at ${signedAt}`}, ${sequenced} sequenced and not signed yet, ${pending} pending.`,
    '',
  ];
  const lines = report.verdicts.flatMap(({ name, state, summary, findings, count }) => {
    const shown = count > 1 ? findings.slice(0, SHOWN) : [];
    const more = count > SHOWN ? [`    … ${count - shown.length} more`] : [];
    return [
      `  ${name.padEnd(13)} ${MARKS[state].padEnd(12)} ${summary}`,
      ...shown.map(({ code, at }) => `    ${code} ${at}`),
      ...more,
    ];
  });
  const ends = {
    pass: 'Every verdict that was asked for holds.',
    fail: 'The log does not hold. Keep the store as it is and find out why.',
    unknown: 'Not everything could be found out.',
  } as const;
  return [...head, ...lines, '', ends[overall(report)]].join('\n');
}
