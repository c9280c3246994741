import { startKmsEmulator } from '../../src/dev/kms-emulator/server.ts';

/** A KMS emulator in a process of its own, so that it does not take turns with what is measured. Prints its address. */
const kms = await startKmsEmulator();
process.stdout.write(`${kms.url}\n`);
