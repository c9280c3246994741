import { SELF_EXPIRING } from '../../collections.ts';
import { ACCOUNTS, ALARMS, FUNCTIONS, HOSTING, RUN_AS, SECRETS } from '../../hosting.ts';

/** What only somebody with the accounts can do, in its order: a title and the commands of each step. */
export interface ByHand {
  readonly title: string;
  readonly commands: readonly string[];
}

const SERVICES = [
  'firestore',
  'cloudfunctions',
  'run',
  'storage',
  'cloudscheduler',
  'cloudtasks',
  'secretmanager',
  'identitytoolkit',
  'logging',
  'monitoring',
  'firebaseappcheck',
];

/** The first deployment of a project; every command may be run again. */
export function stepsByHand(project: string): ByHand[] {
  const gcloud = gcloudFor(project);
  const email = emailIn(project);
  return [
    {
      title:
        'Agreements: sign the BAAs with Google Cloud, AWS and OpenAI, and read which products they cover',
      commands: [],
    },
    {
      title: 'Google services, and the database where the BAA covers it',
      commands: [
        gcloud(`services enable ${SERVICES.map((name) => `${name}.googleapis.com`).join(' ')}`),
        gcloud(
          `firestore databases create --location=${HOSTING.firestoreLocation} --delete-protection --enable-pitr`,
        ),
      ],
    },
    {
      title: 'Three identities: the server, the key jobs, the signer of checkpoints',
      commands: Object.values(ACCOUNTS).flatMap((name) => [
        gcloud(`iam service-accounts create ${name}`),
        gcloud(`iam service-accounts describe ${email(name)} --format='value(uniqueId)'`),
      ]),
    },
    {
      title: 'AWS: roles, trail and alarms once; keys for each tenant',
      commands: [
        'aws cloudformation deploy --stack-name chartseal --template-file infra/aws/roles.yaml --capabilities CAPABILITY_NAMED_IAM --parameter-overrides AppIdentity=ID RewrapIdentity=ID SigningIdentity=ID AlarmEmail=SOMEBODY',
        'aws cloudformation deploy --stack-name chartseal-TENANT --template-file infra/aws/tenant.yaml --parameter-overrides Tenant=TENANT AppRoleArn=ARN RewrapRoleArn=ARN SigningRoleArn=ARN',
      ],
    },
    {
      title: 'Checkpoints and the journal, in a project of another administrator',
      commands: [
        'gcloud storage buckets create gs://BUCKET --project=AUDIT_PROJECT --uniform-bucket-level-access --retention-period=10y',
        'gcloud storage buckets update gs://BUCKET --lock-retention-period',
        `gcloud storage buckets add-iam-policy-binding gs://BUCKET --member=serviceAccount:${email(ACCOUNTS.signing)} --role=roles/storage.objectCreator`,
        'gcloud logging buckets create chartseal-journal --project=AUDIT_PROJECT --location=us --retention-days=3650',
        'gcloud logging buckets update chartseal-journal --project=AUDIT_PROJECT --location=us --locked',
        gcloud(
          `logging sinks create chartseal-journal logging.googleapis.com/projects/AUDIT_PROJECT/locations/us/buckets/chartseal-journal --log-filter='jsonPayload.message="audit"'`,
        ),
      ],
    },
    {
      title: 'A bucket for documents, whose bytes are sealed; what is deleted there is gone',
      commands: [
        gcloud(
          'storage buckets create gs://DOCUMENTS --location=us --uniform-bucket-level-access --public-access-prevention --soft-delete-duration=0',
        ),
        `gcloud storage buckets add-iam-policy-binding gs://DOCUMENTS --member=serviceAccount:${email(ACCOUNTS.app)} --role=roles/storage.objectUser`,
      ],
    },
    {
      title: 'Secrets (the first prints what to paste)',
      commands: [
        'npx chartseal keys generate',
        ...SECRETS.map((name) => `npx firebase functions:secrets:set ${name} --project=${project}`),
      ],
    },
    deployStep(project),
    { title: 'Alarms (CHANNEL is who is called)', commands: alarmCommands(project) },
    {
      title: 'The first tenant, and what shows that it works',
      commands: [
        'npx chartseal tenant create TENANT --name NAME --phone PHONE --zone ZONE --admin UID --key ARN',
        'npx chartseal doctor https://YOUR_DOMAIN/mcp',
        'npx chartseal audit verify --tenant TENANT',
        'npx chartseal compliance report --tenant TENANT --out report',
      ],
    },
  ];
}

/** Rules, indexes, functions and Hosting; what expires; and whose identity each function has. */
function deployStep(project: string): ByHand {
  const gcloud = gcloudFor(project);
  const email = emailIn(project);
  return {
    title: 'Deploy',
    commands: [
      `npm run build && npx firebase deploy --only firestore,functions,hosting --project=${project}`,
      ...SELF_EXPIRING.map(({ name }) =>
        gcloud(`firestore fields ttls update expiresAt --collection-group=${name} --enable-ttl --async`),
      ),
      ...Object.keys(FUNCTIONS).map((name) => {
        const account = email(ACCOUNTS[RUN_AS[name as keyof typeof FUNCTIONS] ?? 'app']);
        const region = HOSTING.functionsRegion;
        return gcloud(
          `run services update ${name.toLowerCase()} --region=${region} --service-account=${account}`,
        );
      }),
      // Nobody's browser talks to Firestore: with no app registered, App Check refuses whatever the rules would not.
      `curl -X PATCH -H "Authorization: Bearer $(gcloud auth print-access-token)" -H 'Content-Type: application/json' -d '{"enforcementMode":"ENFORCED"}' 'https://firebaseappcheck.googleapis.com/v1/projects/${project}/services/firestore.googleapis.com?updateMask=enforcementMode'`,
    ],
  };
}

/** A count of log lines for each alarm and a policy on it, and one look from outside each minute. */
function alarmCommands(project: string): string[] {
  const gcloud = gcloudFor(project);
  const logged = ALARMS.flatMap(({ name, filter }) => (filter === null ? [] : [{ name, filter }]));
  return [
    ...logged.map(({ name, filter }) =>
      gcloud(`logging metrics create ${name} --description=Chartseal --log-filter='${filter}'`),
    ),
    ...logged.map(({ name, filter }) =>
      gcloud(
        `monitoring policies create --display-name=${name} --notification-channels=CHANNEL --combiner=OR --condition-display-name=${name} --condition-filter='metric.type="logging.googleapis.com/user/${name}" AND resource.type="cloud_run_revision"' --if='> 0' --duration=${filter.startsWith('severity=ALERT') ? '0s' : '600s'}`,
      ),
    ),
    ...ALARMS.filter(({ from }) => from === 'uptime check').map(({ name }) =>
      gcloud(
        `monitoring uptime create ${name} --resource-type=uptime-url --resource-labels=host=YOUR_DOMAIN,project_id=${project} --protocol=https --path=/readyz --period=1`,
      ),
    ),
  ];
}

const gcloudFor =
  (project: string) =>
  (words: string): string =>
    `gcloud ${words} --project=${project}`;
const emailIn =
  (project: string) =>
  (name: string): string =>
    `${name}@${project}.iam.gserviceaccount.com`;
