import type { Command } from './command.ts';
import { auditCut } from './commands/audit-cut.ts';
import { auditExport } from './commands/audit-export.ts';
import { auditDisclosures, auditReport } from './commands/audit-report.ts';
import { auditVerify } from './commands/audit-verify.ts';
import { backup } from './commands/backup.ts';
import { compliancePolicies } from './commands/compliance-policies.ts';
import { complianceReport } from './commands/compliance-report.ts';
import { demo } from './commands/demo.ts';
import { deploy } from './commands/deploy.ts';
import { dev, emulators } from './commands/dev.ts';
import { doctor } from './commands/doctor.ts';
import { keysEpoch } from './commands/keys-epoch.ts';
import { keysGenerate } from './commands/keys-generate.ts';
import { keysReencrypt, keysRewrap, keysRotate } from './commands/keys-rotate.ts';
import { keysStatus } from './commands/keys-status.ts';
import { keysPause, keysResume } from './commands/keys-turn.ts';
import { patientErase } from './commands/patient-erase.ts';
import { patientExport } from './commands/patient-export.ts';
import { patientHold } from './commands/patient-hold.ts';
import { patientImport } from './commands/patient-import.ts';
import { policyMatrix } from './commands/policy-matrix.ts';
import { policyTest } from './commands/policy-test.ts';
import { restore } from './commands/restore.ts';
import { scheduleImport } from './commands/schedule-import.ts';
import { tenantCreate } from './commands/tenant-create.ts';
import { token } from './commands/token.ts';

/** Every command by its words. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ['dev', dev],
  ['emulators', emulators],
  ['demo', demo],
  ['deploy', deploy],
  ['token', token],
  ['doctor', doctor],
  ['keys status', keysStatus],
  ['keys rotate', keysRotate],
  ['keys rewrap', keysRewrap],
  ['keys reencrypt', keysReencrypt],
  ['keys epoch', keysEpoch],
  ['keys pause', keysPause],
  ['keys resume', keysResume],
  ['keys generate', keysGenerate],
  ['tenant create', tenantCreate],
  ['patient import', patientImport],
  ['schedule import', scheduleImport],
  ['patient export', patientExport],
  ['patient erase', patientErase],
  ['patient hold', patientHold],
  ['backup', backup],
  ['restore', restore],
  ['policy test', policyTest],
  ['policy matrix', policyMatrix],
  ['audit verify', auditVerify],
  ['audit export', auditExport],
  ['audit cut', auditCut],
  ['audit report', auditReport],
  ['audit disclosures', auditDisclosures],
  ['compliance report', complianceReport],
  ['compliance policies', compliancePolicies],
]);
