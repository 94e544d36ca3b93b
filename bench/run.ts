import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type Figure, isReached } from './scenario.ts';
import { answerToSubscriber } from './scenarios/answer-to-subscriber.ts';
import { archive } from './scenarios/archive.ts';
import { batches } from './scenarios/batches.ts';
import { grpcIngest } from './scenarios/grpc-ingest.ts';
import { kafkaBatches } from './scenarios/kafka-batches.ts';
import { redisBatches } from './scenarios/redis-batches.ts';
import { redisPosts } from './scenarios/redis-posts.ts';
import { singlePosts } from './scenarios/single-posts.ts';
import { size } from './scenarios/size.ts';
import { startAndMemory } from './scenarios/start-and-memory.ts';
import { steadyTraffic } from './scenarios/steady-traffic.ts';

const scenarios = [
  singlePosts,
  batches,
  grpcIngest,
  answerToSubscriber,
  size,
  startAndMemory,
  redisPosts,
  redisBatches,
  archive,
  steadyTraffic,
  kafkaBatches,
];

/** Prints ratios measured in one run; exits 1 when one is not what was wanted. */
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seconds: { type: 'string', default: '15' },
    'many-events': { type: 'string', default: '5000000' },
    'soak-events': { type: 'string', default: '10000000' },
    'steady-seconds': { type: 'string', default: '600' },
  },
});
const options = {
  seconds: Number(values.seconds),
  manyEvents: Number(values['many-events']),
  soakEvents: Number(values['soak-events']),
  steadySeconds: Number(values['steady-seconds']),
};

print(`Node.js ${process.version}, ${cpus().length} cores, ${cpus()[0]?.model ?? 'unknown'}`);
let missed = 0;
for (const scenario of scenarios) {
  if (values.only !== undefined && !values.only.split(',').includes(scenario.name.slice(0, 1)))
    continue;
  print(`\n${scenario.name}`);
  for (const figure of await scenario.run(options)) {
    if (!isReached(figure)) missed += 1;
    print(describe(figure));
  }
}
process.exitCode = missed === 0 ? 0 : 1;

function describe(figure: Figure): string {
  const ratio = figure.ratio >= 100 ? figure.ratio.toFixed(0) : figure.ratio.toFixed(2);
  const { wanted = '' } = figure;
  const verdict = wanted === '' ? '' : isReached(figure) ? 'reached' : 'MISSED';
  return `  ${ratio.padStart(8)}  ${wanted.padEnd(8)}  ${verdict.padEnd(7)}  ${figure.figure}`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
