import { leafOf } from '../../src/audit/event.ts';
import { joinHashes, rootOf, TreeHasher } from '../../src/audit/merkle.ts';
import { nodeSha256 } from '../../src/audit/node-sha256.ts';
import type { LogSource } from '../../src/audit/verify/source.ts';
import { verifyLog } from '../../src/audit/verify/verify-log.ts';
import type { PatientAlias, TenantId } from '../../src/kernel/ids.ts';

/** Run as a process of its own: verifies a log of as many events as it is told, and says time and memory. */

const size = Number(process.argv[2]);
const tenant = 'riverside' as TenantId;
const START = Date.UTC(2026, 0, 1);
const hasher = new TreeHasher(nodeSha256);
let last: string | null = null;
/** Making the leaves is not verifying them. */
let making = 0;
let bundle: { at: number; leaves: Uint8Array[]; hashes: Uint8Array[] } = { at: -1, leaves: [], hashes: [] };
const above: Uint8Array[] = [];

function leafAt(index: number): Uint8Array {
  return leafOf({
    id: `ev_${String(index).padStart(22, '0')}`,
    tenant,
    recorded: new Date(START + index * 20).toISOString(),
    action: 'R',
    operation: 'getPatient',
    outcome: '0',
    actor: { user: 'usr_0123456789abcdef', role: 'clinician', client: 'client_0123456789abcdef' },
    patient: `pa_${String(index % 5_000).padStart(22, '0')}` as PatientAlias,
    entity: { resource: 'Patient', fields: ['demographics.name', 'clinical.medications'] },
    purposeOfUse: 'TREAT',
    policy: 'care-team',
    writer: {
      boot: `wr_${String(Math.floor(index / 10_000)).padStart(12, '0')}`,
      count: (index % 10_000) + 1,
      confirmed: last === null || index % 10_000 === 0 ? [] : [last],
      abandoned: [],
    },
  });
}

function make(at: number): void {
  if (bundle.at === at) return;
  const start = performance.now();
  const leaves: Uint8Array[] = [];
  const hashes: Uint8Array[] = [];
  for (let index = at * 256; index < Math.min(size, (at + 1) * 256); index += 1) {
    const leaf = leafAt(index);
    const hash = hasher.leaf(leaf);
    last = Buffer.from(hash).toString('base64url');
    leaves.push(leaf);
    hashes.push(hash);
  }
  bundle = { at, leaves, hashes };
  if (hashes.length === 256) above.push(rootOf(hasher, hashes));
  making += performance.now() - start;
}

/** A tile above the leaves, from the roots of the full tiles so far. */
function tileAbove(level: number, index: number): Uint8Array {
  let hashes: Uint8Array[] = above;
  for (let at = 1; at < level; at += 1)
    hashes = Array.from({ length: Math.floor(hashes.length / 256) }, (_, n) =>
      rootOf(hasher, hashes.slice(n * 256, (n + 1) * 256)),
    );
  return joinHashes(hashes.slice(index * 256, (index + 1) * 256));
}

const source: LogSource = {
  size: async () => size,
  tile: async ({ level, index }) => {
    if (level > 0) return tileAbove(level, index);
    make(index);
    return joinHashes(bundle.hashes);
  },
  leaves: async (at) => {
    make(at);
    return bundle.leaves;
  },
  pending: async function* () {},
};

const start = performance.now();
const report = await verifyLog(source, {
  tenant,
  origin: 'bench',
  checkpoint: null,
  keys: [],
  now: START + size * 20,
  sha256: nodeSha256,
});
const us = ((performance.now() - start - making) * 1_000) / size;
const wrong = report.verdicts.filter(({ state }) => state === 'fail').map(({ summary }) => summary);
if (wrong.length > 0) throw new Error(wrong.join('; '));
process.stdout.write(JSON.stringify({ us, mb: process.resourceUsage().maxRSS / 1_024 }));
