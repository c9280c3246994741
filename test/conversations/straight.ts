import { callTool } from '../../src/mcp/call-tool.ts';
import { TOOLS } from '../../src/mcp/catalog.ts';
import type { People, Person } from './people.ts';
import type { Call } from './script.ts';
import type { Spoken } from './transcript.ts';

/** Straight into the pipeline, as a person. */
export const callerOf =
  (people: People, person: Person): Call =>
  async (name, args) => {
    const tool = TOOLS.find((one) => one.name === name);
    if (tool === undefined) throw new Error(`There is no tool ${name}.`);
    const principal = people.principal(person);
    return (await callTool(tool, args, { principal, services: people.services })) as Spoken;
  };
