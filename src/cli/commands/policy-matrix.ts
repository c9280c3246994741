import { writeFile } from 'node:fs/promises';
import { loadPolicyEngine } from '../../access/policy-engine.ts';
import { accessMatrix, matrixPage } from '../../mcp/access-matrix.ts';
import { type Command, EXIT } from '../command.ts';
import { out } from '../terminal.ts';

/** Who may use which tool, as the policies say it now. */
export const policyMatrix: Command = {
  usage: '[--out FILE]',
  summary: 'who may use which tool: role × tool × relationship, as a page',
  options: { out: { type: 'string' } },
  run: async ({ values, json }) => {
    const cells = accessMatrix(await loadPolicyEngine());
    const text = json ? JSON.stringify(cells) : matrixPage(cells).trimEnd();
    const file = values['out'];
    if (typeof file !== 'string') out(text);
    else await writeFile(file, `${text}\n`);
    return EXIT.ok;
  },
};
