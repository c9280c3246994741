import { readConfig } from '../../config.ts';
import { ChartsealError } from '../../kernel/errors.ts';
import { PRODUCTION_RULES } from '../../production.ts';
import { fail, type Judgement, pass } from './check.ts';

type Env = Readonly<Record<string, string | undefined>>;
type Found = Judgement & { readonly id: string; readonly title: string; readonly cure: string };

const CURE = 'Correct it in functions/.env.PROJECT or in Secret Manager.';

/** Each rule of production on an environment, whatever it calls itself, and then the whole of it. Names no value. */
export function examineConfiguration(env: Env): Found[] {
  const rules = PRODUCTION_RULES.map(({ id, title, broken }): Found => {
    const says = broken(env);
    return { id, title, cure: CURE, ...(says === null ? pass('it is so') : fail(says.replace(/\.$/, ''))) };
  });
  return [...rules, wholeOf(env)];
}

function wholeOf(env: Env): Found {
  const about = { id: 'configuration', title: 'the server would start with it, as production', cure: CURE };
  try {
    return { ...about, ...pass(readConfig({ ...env, CHARTSEAL_ENV: 'production' }).origin) };
  } catch (error) {
    if (error instanceof ChartsealError) return { ...about, ...fail(error.message.replace(/\.$/, '')) };
    throw error;
  }
}
