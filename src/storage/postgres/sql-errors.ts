import { DatabaseError } from 'pg';
import { StoreError } from '../../kernel/store.ts';
import { alreadyExists, contention, refused, storeUse, timeTaken, unavailable } from '../errors.ts';

/**
 * Turns what `pg` threw into a {@link StoreError}. The original is not kept as a cause: PostgreSQL's `detail`,
 * `where` and message quote the values of the row.
 */
export function fromPostgres(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  if (!(error instanceof DatabaseError)) return unavailable(networkCode(error));
  const state = error.code ?? '';
  const known = KNOWN[state];
  if (known !== undefined) return known(state);
  if (/^(08|53|57|58|XX)/.test(state)) return unavailable(`SQLSTATE ${state}`);
  if (state.startsWith('28')) return refused(`SQLSTATE ${state}`);
  return storeUse(`PostgreSQL refused the statement (SQLSTATE ${state}).`);
}

/** SQLSTATE → answer (PostgreSQL documentation, appendix A). */
const KNOWN: Readonly<Record<string, (state: string) => StoreError>> = {
  '40001': contention,
  '40P01': contention,
  '55P03': contention,
  '23505': alreadyExists,
  '23P01': timeTaken,
  '3D000': (state) => refused(`SQLSTATE ${state}`),
  '42501': (state) => refused(`SQLSTATE ${state}`),
  '42P01': schemaBehind,
  '42703': schemaBehind,
};

function schemaBehind(state: string): StoreError {
  return storeUse(`A table or column is missing (SQLSTATE ${state}). Run ensureSchema for every collection.`);
}

function networkCode(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^E[A-Z]{3,20}$/.test(code) ? code : 'no connection';
}
