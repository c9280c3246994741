import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** One resource of a CloudFormation template, its functions worked out. */
export interface Resource {
  readonly Type: string;
  readonly Properties: { readonly [name: string]: Json };
}

/** What a template's functions refer to: parameters, pseudo parameters, and `Resource` or `Resource.Attribute`. */
export type Known = Readonly<Record<string, string>>;

const pathOf = (name: string): string => join(import.meta.dirname, '../../infra/aws', name);
export const textOf = (name: string): string => readFileSync(pathOf(name), 'utf8');
export { pathOf as templatePath };

/** The resources of a template with `Ref`, `Fn::Sub` and `Fn::GetAtt` replaced by what is known. */
export function readTemplate(name: string, known: Known): Readonly<Record<string, Resource>> {
  const { Resources } = parse(textOf(name)) as { Resources: Json };
  return resolve(Resources, known) as unknown as Record<string, Resource>;
}

/** @throws Error when the template has no such resource. */
export function propertiesOf(template: Readonly<Record<string, Resource>>, name: string): unknown {
  const resource = template[name];
  if (resource === undefined) throw new Error(`The template has no ${name}.`);
  return resource.Properties;
}

function resolve(value: Json, known: Known): Json {
  if (Array.isArray(value)) return value.map((item) => resolve(item as Json, known));
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value as Record<string, Json>);
  const [only] = entries;
  if (entries.length === 1 && only !== undefined) {
    const [name, argument] = only;
    if (name === 'Ref') return lookUp(String(argument), known);
    if (name === 'Fn::GetAtt') return lookUp((argument as string[]).join('.'), known);
    if (name === 'Fn::Sub')
      return String(argument).replaceAll(/\$\{([^}]+)\}/g, (_all, key: string) => lookUp(key, known));
  }
  return Object.fromEntries(entries.map(([name, item]) => [name, resolve(item, known)]));
}

/** What nothing here looks at is left by its name. */
const lookUp = (name: string, known: Known): string => known[name] ?? `unresolved:${name}`;
