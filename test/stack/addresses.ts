import { inject } from 'vitest';

/** The official Firestore emulator. @throws Error that says what is missing: a suite that needs it fails. */
export function firestoreAddress(): { readonly host: string; readonly port: number } {
  const address = inject('firestore');
  if ('missing' in address) throw new Error(address.missing);
  return address;
}

/** The same, as `host:port`. */
export function firestoreHost(): string {
  const { host, port } = firestoreAddress();
  return `${host}:${port}`;
}

/** Where a process of its own reaches a store. */
export const addressOf = (kind: 'firestore' | 'postgres'): string =>
  kind === 'postgres' ? inject('postgres').appConnectionString : firestoreHost();
