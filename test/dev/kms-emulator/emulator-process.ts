import { startKmsEmulator } from '../../../src/dev/kms-emulator/server.ts';

/** An emulator in a process of its own, for tests that kill it: `node emulator-process.ts STATE_FILE LOG_FILE`. */
const [stateFile = '', logFile = ''] = process.argv.slice(2);
const { url } = await startKmsEmulator({ stateFile, logFile });
process.stdout.write(`${url}\n`);
