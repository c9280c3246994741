import type { OnAlert } from './access/alerts.ts';
import type { Outside } from './audit/outside.ts';
import type { Documents } from './clinic/documents/documents.ts';
import type { Keyring } from './crypto/keyring.ts';
import type { PatientIndex } from './crypto/patient-index.ts';
import type { TenantSecrets } from './crypto/tenant-secrets.ts';
import type { Asset } from './http/app.ts';
import type { ErasureParts } from './lifecycle/erasure/erase.ts';
import type { KeyRotations } from './lifecycle/rotation/rotations.ts';
import type { Services } from './mcp/tool.ts';

/** What the HTTP face is put on. */
export interface HttpParts {
  readonly services: Services;
  readonly privacy: ErasureParts;
  readonly documents: Documents;
  readonly keyring: Keyring;
  readonly secrets: TenantSecrets;
  readonly index: PatientIndex;
  readonly rotations: KeyRotations;
  readonly onAlert: OnAlert;
  /** Where checkpoints are; null when nowhere. */
  readonly outside: Outside | null;
  /** The browser code, URL path → file. */
  readonly assets: ReadonlyMap<string, Asset>;
  /** Faults of ours: name and code, never a value. */
  readonly onFault: (fault: { readonly name: string; readonly code: string }) => void;
}

/** Where the offline verifier is among the assets. It is served too: whoever wants to check it can. */
export const VERIFIER_PATH = '/assets/verify.mjs';
