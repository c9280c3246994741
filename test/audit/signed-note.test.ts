import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import { concat } from '../../src/audit/bytes.ts';
import { formatCheckpoint, originOf, parseCheckpoint } from '../../src/audit/checkpoint.ts';
import { sha256 } from '../../src/audit/sha256.ts';
import {
  cosignedMessage,
  formatKey,
  formatNote,
  type NoteKey,
  noteKey,
  parseKey,
  parseNote,
  verifySignatures,
} from '../../src/audit/signed-note.ts';

const AT = Date.UTC(2026, 10, 24, 14);
const text = formatCheckpoint({
  origin: originOf('demo', 'riverside'),
  size: 7,
  root: new Uint8Array(32).fill(5),
  time: AT,
});

function pair(name: string, kind: NoteKey['kind'] = 'log'): { key: NoteKey; secret: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  return { key: noteKey(sha256, { name, publicKey: raw, kind }), secret: privateKey };
}

const signedBy = ({ key, secret }: ReturnType<typeof pair>) => ({
  name: key.name,
  keyId: key.id,
  signature: sign(null, Buffer.from(text), secret),
});

function cosignedBy({ key, secret }: ReturnType<typeof pair>, seconds: number) {
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(seconds));
  const signature = concat(time, sign(null, cosignedMessage(text, seconds), secret));
  return { name: key.name, keyId: key.id, signature };
}

test('the text of a checkpoint is frozen, and reads back', () => {
  expect(text).toBe(
    'chartseal/demo/riverside\n7\nBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=\ntime 2026-11-24T14:00:00.000Z\n',
  );
  expect(parseCheckpoint(text)).toMatchObject({ origin: 'chartseal/demo/riverside', size: 7, time: AT });
});

test.each([
  ['no root', 'o\n7\n'],
  ['a size with a zero before it', text.replace('\n7\n', '\n07\n')],
  ['a negative size', text.replace('\n7\n', '\n-7\n')],
  ['a short root', text.replace('BQUFBQUF', '')],
  ['a root in another spelling', text.replace('BQU=', 'BQV=')],
  ['no last line feed', text.slice(0, -1)],
  ['an empty extension line', `${text}\nx\n`],
])('a checkpoint with %s is none', (_name, broken) => {
  expect(() => parseCheckpoint(broken)).toThrow('not a checkpoint');
});

test('a signature verifies under its key, and under no other', async () => {
  const [ours, theirs] = [pair('log.example'), pair('log.example')];
  const note = parseNote(formatNote({ text, signatures: [signedBy(ours)] }));
  expect((await verifySignatures(note, [ours.key])).map(({ key }) => key)).toEqual([ours.key]);
  expect(await verifySignatures(note, [theirs.key])).toEqual([]);
  const altered = { ...note, text: note.text.replace('\n7\n', '\n8\n') };
  expect(await verifySignatures(altered, [ours.key])).toEqual([]);
  const posing = { text, signatures: [{ ...signedBy(theirs), keyId: ours.key.id }] };
  expect(await verifySignatures(posing, [ours.key])).toEqual([]);
});

test('with two keys in overlap both lines verify', async () => {
  const keys = [pair('log.example'), pair('log.example')];
  const note = parseNote(formatNote({ text, signatures: keys.map(signedBy) }));
  expect(
    await verifySignatures(
      note,
      keys.map(({ key }) => key),
    ),
  ).toHaveLength(2);
});

test('a witness signs the time with the note, and is no log', async () => {
  const witness = pair('witness.example', 'witness');
  const note = parseNote(formatNote({ text, signatures: [cosignedBy(witness, 1_790_000_000)] }));
  expect(await verifySignatures(note, [witness.key])).toEqual([
    { key: witness.key, witnessedAt: 1_790_000_000 },
  ]);
  const asLog = noteKey(sha256, { name: witness.key.name, publicKey: witness.key.publicKey });
  expect(await verifySignatures(note, [asLog])).toEqual([]);
});

test('a key reads back from its text, and a wrong hash is refused', () => {
  const { key } = pair('log.example', 'witness');
  const parsed = parseKey(sha256, formatKey(key));
  expect(formatKey(parsed)).toBe(formatKey(key));
  expect(() => parseKey(sha256, formatKey(key).replace(/\+[0-9a-f]{8}\+/, '+00000000+'))).toThrow('hash');
  expect(() => parseKey(sha256, 'log.example+00000000+AAAA')).toThrow('not a key');
});

test.each([
  ['nothing', ''],
  ['no signature', 'a\n\n'],
  ['no empty line', 'a\n\u2014 n AAAAAAAA\n'],
  ['a hyphen for a dash', 'a\n\n- n AAAAAAAA\n'],
  ['no last line feed', 'a\n\n\u2014 n AAAAAAAA'],
  ['a signature that is too short', 'a\n\n\u2014 n AAAA\n'],
])('%s is no note', (_name, note) => {
  expect(() => parseNote(Buffer.from(note))).toThrow('not a signed note');
});
