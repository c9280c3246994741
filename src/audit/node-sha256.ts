import { hash } from 'node:crypto';
import type { Sha256 } from './sha256.ts';

/** SHA-256 of Node's crypto: three times as fast as the portable one, and not for browsers. */
export const nodeSha256: Sha256 = (bytes) => hash('sha256', bytes, 'buffer');
