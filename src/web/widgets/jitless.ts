import { config } from 'zod/v4';

/** Zod would compile its parsers with `new Function`, which the pages' content security policy forbids and reports. */
config({ jitless: true });
