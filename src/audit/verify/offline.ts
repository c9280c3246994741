import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { nodeSha256 } from '../node-sha256.ts';
import { parseTrustedKeys } from '../trusted-keys.ts';
import { bundleSource } from './bundle-source.ts';
import { formatReport } from './format.ts';
import { overall } from './report.ts';
import { verifyLog } from './verify-log.ts';

/**
 * The verifier that lies in an evidence bundle as `verify.mjs`: one file that needs Node and nothing else, no network
 * least of all. It verifies the folder that it lies in, as of the time of the export.
 */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      checkpoint: { type: 'string', multiple: true },
      keys: { type: 'string' },
      journal: { type: 'string' },
      cloudtrail: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const folder = dirname(fileURLToPath(import.meta.url));
  const about = JSON.parse(await readFile(join(folder, 'bundle.json'), 'utf8')) as About;
  const keys = await readFile(values.keys ?? join(folder, 'keys.txt'), 'utf8');
  const files = await readdir(join(folder, 'checkpoints'));
  const mine = values.checkpoint ?? files.map((name) => join(folder, 'checkpoints', name));
  const report = await verifyLog(bundleSource(folder, about.size), {
    tenant: about.tenant,
    origin: about.origin,
    checkpoint: await readFile(join(folder, 'checkpoint')).catch(() => null),
    earlier: await Promise.all(mine.map((file) => readFile(file))),
    keys: parseTrustedKeys(nodeSha256, keys),
    pinned: values.keys !== undefined,
    stored: linesOf(join(folder, 'store.ndjson')),
    ...(values.journal === undefined ? {} : { journal: journalOf(values.journal, about.tenant) }),
    ...(values.cloudtrail === undefined ? {} : { keyUse: linesOf(values.cloudtrail) }),
    now: Date.parse(about.exportedAt),
    sha256: nodeSha256,
  });
  process.stdout.write(`${values.json === true ? JSON.stringify(report) : formatReport(report)}\n`);
  return { pass: 0, fail: 1, unknown: 3 }[overall(report)];
}

interface About {
  readonly tenant: string;
  readonly origin: string;
  readonly size: number;
  readonly exportedAt: string;
}

async function* linesOf<T>(file: string): AsyncGenerator<T> {
  for await (const line of createInterface({ input: createReadStream(file) }))
    if (line.trim() !== '') yield JSON.parse(line) as T;
}

async function* journalOf(file: string, tenant: string) {
  for await (const line of linesOf<{ tenant: string; id: string; leafHash: string }>(file))
    if (line.tenant === tenant) yield line;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : 'Something went wrong.'}\n`);
  process.exitCode = 3;
}
