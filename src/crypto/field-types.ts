declare const sealedValue: unique symbol;

/**
 * A sealed `T` in a document: bytes, or text where bytes have no place (JSON). It has no members: code that
 * forgets to open it does not compile.
 */
export interface Sealed<out T> {
  readonly [sealedValue]: T;
}

type Leaf = null | undefined | boolean | number | bigint | string | symbol | Date | Uint8Array | Function_;
type Function_ = (...args: never[]) => unknown;

/** The paths of a document, up to 6 steps: `name`, `contact.phone`, `visits.*.note`. */
export type FieldPath<T, Depth extends readonly unknown[] = []> = Depth['length'] extends 6
  ? never
  : T extends Leaf
    ? never
    : T extends readonly (infer Item)[]
      ? '*' | `*.${FieldPath<Item, [...Depth, 0]>}`
      : { [K in keyof T & string]: K | `${K}.${FieldPath<T[K], [...Depth, 0]>}` }[keyof T & string];

/** `T` with the fields `F` sealed. */
export type SealedFields<T, F extends string> = T extends Leaf
  ? T
  : T extends readonly (infer Item)[]
    ? Replace<Item, '*', F, 'seal'>[]
    : { [K in keyof T]: K extends string ? Replace<T[K], K, F, 'seal'> : T[K] };

/** `T` with the sealed fields `F` opened. */
export type OpenedFields<T, F extends string> = T extends Leaf
  ? T
  : T extends readonly (infer Item)[]
    ? Replace<Item, '*', F, 'open'>[]
    : { [K in keyof T]: K extends string ? Replace<T[K], K, F, 'open'> : T[K] };

type Replace<T, K extends string, F extends string, Act extends 'seal' | 'open'> = K extends F
  ? Act extends 'seal'
    ? Seal<T>
    : Open<T>
  : [Below<F, K>] extends [never]
    ? T
    : Act extends 'seal'
      ? SealedFields<T, Below<F, K>>
      : OpenedFields<T, Below<F, K>>;

/** null is a value and is sealed; undefined is absence and is not. */
type Seal<T> = Sealed<Exclude<T, undefined>> | Extract<T, undefined>;
type Open<T> = T extends Sealed<infer Value> ? Value : T;
type Below<F extends string, K extends string> = F extends `${K}.${infer Rest}` ? Rest : never;
