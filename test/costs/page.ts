import type { Use } from './counting.ts';

/** List prices in US dollars, looked up in November 2026. They change: look them up. */
export const PRICES = {
  /** Firestore, multi-region nam5: for 100,000. */
  reads: 0.06,
  writes: 0.18,
  deletes: 0.02,
  /** AWS KMS, symmetric: for 10,000 requests. */
  kmsCalls: 0.03,
  /** AWS KMS: each key a month. */
  key: 1,
  /** AWS KMS, Ed25519 signing: for 10,000 requests. */
  signatures: 0.15,
} as const;

const CHECKPOINTS_A_MONTH = 30 * 24 * 60;
const PER_DOCUMENT = 100_000;
const PER_CALL = 10_000;

export const dollarsOf = ({ kmsCalls, reads, writes, deletes }: Use): number =>
  (reads * PRICES.reads + writes * PRICES.writes + deletes * PRICES.deletes) / PER_DOCUMENT +
  (kmsCalls * PRICES.kmsCalls) / PER_CALL;

/** The page, from what was counted for one of each. */
export function costsPage(counted: ReadonlyMap<string, Use>): string {
  const rows = [...counted].map(([what, use]) => {
    const { kmsCalls, reads, writes, deletes } = use;
    return `| ${what} | ${kmsCalls} | ${reads} | ${writes} | ${deletes} | ${(dollarsOf(use) * 1_000).toFixed(2)} |`;
  });
  const signing = (CHECKPOINTS_A_MONTH * PRICES.signatures) / PER_CALL;
  return `# What it costs

Counted, not guessed: a test plays the conversations on a store and a keyring that count as the bills do, and fails when this
page says anything else (\`test/costs\`; \`UPDATE_COSTS=1\` writes it anew). Firestore counts documents, and each five minutes
of a booked time are one.

| one of each, with a cold key cache | KMS calls | reads | writes | deletes | US$ for 1,000 |
|---|---|---|---|---|---|
${rows.join('\n')}

A warm cache (five minutes) makes no KMS call at all. The audit is in these figures: each call of a tool is one event and one
pending twin; sequencing moves each twin once.

By the month and clinic, whatever its size: two KMS keys (US$ ${(2 * PRICES.key).toFixed(2)}) and a signed checkpoint each minute (US$ ${signing.toFixed(2)}).

Not counted here: Cloud Functions (one instance of the main one is kept warm, and billed while it idles), Cloud Storage of checkpoints and documents, CloudTrail, and egress.

Prices: Firestore nam5 US$ ${PRICES.reads} / ${PRICES.writes} / ${PRICES.deletes} for 100,000 reads / writes / deletes, AWS KMS US$ ${PRICES.kmsCalls} for 10,000 calls and
US$ ${PRICES.key} a key and month, as listed in November 2026. Look them up.
`;
}
