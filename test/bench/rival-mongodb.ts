import { randomBytes } from 'node:crypto';
import type { Bench } from './bench.ts';
import { beside, ourOpen, ourSeal, plaintext, rival } from './beside.ts';

/** A step that libmongocrypt asks its driver for, one after another. */
interface Context {
  readonly state: number;
  readonly status: { readonly message?: string };
  nextMongoOperation(): Uint8Array;
  addMongoOperationResponse(response: Uint8Array): void;
  finishMongoOperation(): void;
  finalize(): Uint8Array;
}

/** The part of MongoDB's bindings that is used here. */
interface Bindings {
  readonly MongoCrypt: new (options: {
    kmsProviders: Uint8Array;
  }) => {
    makeDataKeyContext(options: Uint8Array, more: object): Context;
    makeExplicitEncryptionContext(value: Uint8Array, options: object): Context;
    makeExplicitDecryptionContext(value: Uint8Array): Context;
  };
}
interface Bson {
  serialize(document: object): Uint8Array;
  deserialize(bytes: Uint8Array): { readonly _id: { readonly buffer: Uint8Array } };
  readonly Binary: new (bytes: Uint8Array) => object;
}

const NEED_KEYS = 3;
const READY = 5;

/** Explicit encryption without its driver and database: the key is local and cached, the value is BSON already. */
function mongoBenches({ MongoCrypt }: Bindings, { serialize, deserialize, Binary }: Bson): Bench[] {
  const crypt = new MongoCrypt({ kmsProviders: serialize({ local: { key: randomBytes(96) } }) });
  const keyDocument = run(crypt.makeDataKeyContext(serialize({ provider: 'local' }), {}), new Uint8Array());
  const keyId = Buffer.from(deserialize(keyDocument)._id.buffer);
  const options = { keyId, algorithm: 'AEAD_AES_256_CBC_HMAC_SHA_512-Random', expressionMode: false };
  const value = serialize({ v: new Binary(plaintext) });
  const encrypt = () => run(crypt.makeExplicitEncryptionContext(value, options), keyDocument);
  const encrypted = encrypt();
  const decrypt = () => run(crypt.makeExplicitDecryptionContext(encrypted), keyDocument);
  const against = { unit: 'us', target: 1, atLeast: true } as const;
  return [
    { ...against, name: 'rival/mongodb-seal-1k', measure: (bench) => beside(encrypt, ourSeal, bench) },
    { ...against, name: 'rival/mongodb-open-1k', measure: (bench) => beside(decrypt, ourOpen, bench) },
  ];
}

function run(context: Context, keyDocument: Uint8Array): Uint8Array {
  while (context.state === NEED_KEYS) {
    context.nextMongoOperation();
    context.addMongoOperationResponse(keyDocument);
    context.finishMongoOperation();
  }
  if (context.state !== READY) throw new Error(context.status.message ?? `state ${context.state}`);
  return context.finalize();
}

const bindings = rival<Bindings>('mongodb-client-encryption');
const bson = rival<Bson>('bson');

/** Empty where it is not installed and built. */
export const MONGODB_BENCHES: readonly Bench[] =
  bindings === null || bson === null ? [] : mongoBenches(bindings, bson);
