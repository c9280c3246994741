import { randomFillSync } from 'node:crypto';
import { InputError } from './errors.ts';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** A clinic or group of clinics that shares keys, staff and an audit log. Chosen by whoever creates it. */
export type TenantId = Branded<'TenantId'>;
/** An opaque random handle of one patient in one tenant. It is what the assistant sees as `patient`. */
export type PatientId = Branded<'PatientId'>;
/** A random name of a patient in places that others can read (KMS contexts, audit events). Dies with the patient. */
export type PatientAlias = Branded<'PatientAlias'>;
/** The subject of an access token: the Firebase Auth uid. */
export type UserId = Branded<'UserId'>;

/** Where rows that belong to no tenant live: the tenant registry and the authorization server's state. */
export const SYSTEM_TENANT = 'system' as TenantId;

const ID = /^[A-Za-z0-9_-]{1,64}$/;

function parse<T extends string>(value: unknown, what: string): T {
  if (typeof value !== 'string' || !ID.test(value)) {
    throw new InputError(
      'ID_FORMAT',
      `The ${what} is not valid. It has 1 to 64 letters, digits, "_" or "-".`,
    );
  }
  return value as T;
}

/** @throws InputError `ID_FORMAT` unless `value` matches `[A-Za-z0-9_-]{1,64}`. */
export const parseTenantId = (value: unknown): TenantId => parse(value, 'tenant id');
/** @throws InputError `ID_FORMAT` unless `value` matches `[A-Za-z0-9_-]{1,64}`. */
export const parsePatientId = (value: unknown): PatientId => parse(value, 'patient handle');
/** @throws InputError `ID_FORMAT` unless `value` matches `[A-Za-z0-9_-]{1,64}`. */
export const parseUserId = (value: unknown): UserId => parse(value, 'user id');

const ID_BYTES = 16;
/** Random bytes are asked for in bulk: each asking costs more than all the rest of an id. Used once, and written as text. */
const pool = Buffer.allocUnsafeSlow(256 * ID_BYTES);
let used = pool.length;

/** A fresh id of 128 random bits: `prefix_` and 22 base64url characters. */
export function randomId(prefix: string): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const end = used + ID_BYTES;
  const text = pool.toString('base64url', used, end);
  used = end;
  return `${prefix}_${text}`;
}

/** A fresh patient handle (`pat_…`). */
export const newPatientId = (): PatientId => randomId('pat') as PatientId;
/** A fresh patient alias (`pa_…`). */
export const newPatientAlias = (): PatientAlias => randomId('pa') as PatientAlias;
