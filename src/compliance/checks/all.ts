import type { Check } from '../check.ts';
import { ACCESS } from './access.ts';
import { AUDIT } from './audit.ts';
import { ENCRYPTION } from './encryption.ts';
import { KEYS } from './keys.ts';
import { PLATFORM } from './platform.ts';
import { RIGHTS } from './rights.ts';

/** Every check, in the order of the report. */
export const CHECKS: readonly Check[] = [...ENCRYPTION, ...KEYS, ...ACCESS, ...AUDIT, ...RIGHTS, ...PLATFORM];
