import { openStore } from '../audit/stores.ts';
import { describeOnBothStores } from '../stack/needs.ts';
import { describeVisitLife } from './visit-life.ts';

describeOnBothStores(
  (store) => `visits on ${store}`,
  (store) => describeVisitLife(() => openStore(store)),
);
