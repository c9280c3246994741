import { ACCESS_BENCHES } from './access.ts';
import { AUDIT_BENCHES } from './audit.ts';
import { BEARER_BENCHES } from './bearer.ts';
import type { Bench, BenchOptions } from './bench.ts';
import { COMPLIANCE_BENCHES } from './compliance.ts';
import { CRYPTO_BENCHES } from './crypto.ts';
import { AWS_BENCHES } from './rival-aws.ts';
import { MONGODB_BENCHES } from './rival-mongodb.ts';
import { ROTATION_BENCHES } from './rotation.ts';
import { SCHEDULING_BENCHES } from './scheduling.ts';
import { TELEMETRY_BENCHES } from './telemetry.ts';

/**
 * `npm run bench`: a table; `-- --json`: one JSON object a line; `-- --list`: the names; `-- --quick`: fewer rounds;
 * `-- NAME…`: only those whose name begins so. Figures say, tests judge: it exits 0 whatever they are.
 */
const ALL: readonly Bench[] = [
  ...ACCESS_BENCHES,
  ...CRYPTO_BENCHES,
  ...AWS_BENCHES,
  ...MONGODB_BENCHES,
  ...ROTATION_BENCHES,
  ...AUDIT_BENCHES,
  ...BEARER_BENCHES,
  ...SCHEDULING_BENCHES,
  ...TELEMETRY_BENCHES,
  ...COMPLIANCE_BENCHES,
];
const FLAGS = ['--json', '--list', '--quick'];

/** One measured line. `floor` and `ratio` are null where nothing is to be compared with. */
interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: Bench['unit'];
  readonly floor: number | null;
  readonly ratio: number | null;
}

const args = process.argv.slice(2);
const unknown = args.filter((arg) => arg.startsWith('--') && !FLAGS.includes(arg));
const prefixes = args.filter((arg) => !arg.startsWith('--'));
const chosen = ALL.filter(({ name }) => prefixes.length === 0 || prefixes.some((p) => name.startsWith(p)));

if (unknown.length > 0 || chosen.length === 0) {
  process.stderr.write(`Usage: npm run bench -- [${FLAGS.join('] [')}] [NAME…]; --list shows the names.\n`);
  process.exitCode = 2;
} else if (args.includes('--list')) {
  process.stdout.write(chosen.map(({ name }) => `${name}\n`).join(''));
} else {
  const asJson = args.includes('--json');
  for (const bench of chosen) {
    const figure = await measure(bench, { quick: args.includes('--quick') });
    process.stdout.write(asJson ? `${JSON.stringify(figure)}\n` : row(figure, bench));
  }
}

async function measure({ name, unit, measure: run }: Bench, options: BenchOptions): Promise<Figure> {
  const { value, floor } = await run(options);
  const ratio = floor === null ? null : rounded(value / floor);
  return { name, value: rounded(value), unit, floor: floor === null ? null : rounded(floor), ratio };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

function row({ name, value, unit, floor, ratio }: Figure, { target, atLeast }: Bench): string {
  const compared = ratio === null ? '' : `floor ${floor}  ratio ${ratio}`;
  const figure = ratio ?? value;
  const within = atLeast === true ? figure >= target : figure <= target;
  const judged = `${within ? 'within' : 'MISSED'} ${atLeast === true ? '≥ ' : ''}${target}`;
  return `${name.padEnd(28)}${String(value).padStart(10)} ${unit.padEnd(6)}${compared.padEnd(28)}${judged}\n`;
}
