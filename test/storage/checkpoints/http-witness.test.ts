import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { concat, toBase64 } from '../../../src/audit/bytes.ts';
import { nodeSha256 } from '../../../src/audit/node-sha256.ts';
import { cosignedMessage, noteKey, parseNote, verifySignatures } from '../../../src/audit/signed-note.ts';
import { httpWitness } from '../../../src/storage/checkpoints/http-witness.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const raw = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32));
const key = noteKey(nodeSha256, { name: 'witness.example', publicKey: raw, kind: 'witness' });
const text = 'chartseal/demo/t\n1\nBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=\n';
const note = {
  text,
  signatures: [{ name: 'log', keyId: new Uint8Array(4), signature: new Uint8Array(64) }],
};
const seen = { oldSize: 3, proof: [new Uint8Array(32).fill(1)], note };

/** A witness that signs what it is sent, or answers otherwise. */
async function witness(answer: (signed: string) => { status: number; body: string }) {
  const bodies: string[] = [];
  const server = createServer(async (req, res) => {
    let body = '';
    for await (const part of req) body += part;
    bodies.push(`${req.url}\n${body}`);
    const sent = parseNote(Buffer.from(body.slice(body.indexOf('\n\n') + 2)));
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(1_790_000_000n);
    const signature = concat(time, sign(null, cosignedMessage(sent.text, 1_790_000_000), privateKey));
    const line = `\u2014 witness.example ${toBase64(concat(key.id, signature))}\n`;
    const { status, body: out } = answer(line);
    res.writeHead(status).end(out);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { bodies, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test('asks as C2SP tlog-witness says, and takes a signature that verifies', async () => {
  const { url, bodies } = await witness((line) => ({ status: 200, body: line }));
  const line = await httpWitness({ url, key }).cosign(seen);
  expect(bodies[0]).toContain(`/add-checkpoint\nold 3\n${toBase64(new Uint8Array(32).fill(1))}\n\n${text}`);
  const cosigned = { text, signatures: line === null ? [] : [line] };
  expect(await verifySignatures(cosigned, [key])).toEqual([{ key, witnessedAt: 1_790_000_000 }]);
});

test.each([
  ['a conflict', () => ({ status: 409, body: '7\n' })],
  ['nothing that is a signature', () => ({ status: 200, body: 'hello' })],
  [
    'a signature of somebody else',
    (line: string) => ({ status: 200, body: line.replace('witness.example', 'other') }),
  ],
])('%s is no cosignature', async (_name, answer) => {
  const { url } = await witness(answer);
  expect(await httpWitness({ url, key }).cosign(seen)).toBeNull();
});

test('a witness that is not there holds nothing up', async () => {
  expect(await httpWitness({ url: 'http://127.0.0.1:1', key }).cosign(seen)).toBeNull();
});
