import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../temporary-folder.ts';
import { engineFolder, findOnPath } from './find-engine.ts';

const version = '4.1.0';
/** Says when the broker has started, and nothing else below a warning. */
const logging =
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=error -Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info';

/** Puts a broker and Kafka's own tools into the cache folder. Throws, with what to do, where they cannot be had. */
export function fetchKafka(): void {
  const maven = findOnPath('mvn');
  if (maven === undefined || findOnPath('java') === undefined) {
    throw new Error('java (17 or newer) and mvn are needed to fetch Kafka');
  }
  const folder = temporaryFolder();
  try {
    writeFileSync(join(folder.path, 'pom.xml'), project());
    const libraries = join(folder.path, 'libs');
    const copy = ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${libraries}`];
    const { status, stdout, error } = spawnSync(maven, copy, {
      cwd: folder.path,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`mvn: ${error?.message ?? stdout.trim()}`);
    mkdirSync(engineFolder(), { recursive: true });
    // Whole or not at all: somebody else may be looking for it.
    const arriving = join(engineFolder(), `kafka-libs-${process.pid}`);
    cpSync(libraries, arriving, { recursive: true });
    rmSync(join(engineFolder(), 'kafka-libs'), { recursive: true, force: true });
    renameSync(arriving, join(engineFolder(), 'kafka-libs'));
    writeProgram('kafka-tool', toolScript);
    writeProgram('kafka-server', serverScript);
  } finally {
    folder.remove();
  }
}

function writeProgram(name: string, script: string): void {
  const arriving = join(engineFolder(), `${name}-${process.pid}`);
  writeFileSync(arriving, script);
  chmodSync(arriving, 0o755);
  renameSync(arriving, join(engineFolder(), name));
}

/** `kafka-tool CLASS ...`: one of Kafka's command-line tools. */
const toolScript = `#!/bin/sh
exec java -Xmx256m ${logging} -cp "$(dirname "$0")/kafka-libs/*" "$@"
`;

/** `kafka-server FILE`: a broker with the properties of the file, whose folder is formatted where it is new. */
const serverScript = `#!/bin/sh
set -e
"$(dirname "$0")/kafka-tool" kafka.tools.StorageTool format --ignore-formatted \
  --cluster-id ZXZlbnQtaHViLXRlc3RzMQ --config "$1" >/dev/null
exec java -Xms256m -Xmx768m -XX:+UseSerialGC ${logging} \
  -cp "$(dirname "$0")/kafka-libs/*" kafka.Kafka "$1"
`;

function project(): string {
  const packages = [
    ['org.apache.kafka', 'kafka_2.13', version],
    ['org.apache.kafka', 'kafka-tools', version],
    ['org.slf4j', 'slf4j-simple', '1.7.36'],
  ];
  const dependencies = packages.map(
    ([group, artifact, number]) =>
      `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${number}</version></dependency>`,
  );
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>event-hub</groupId><artifactId>engines</artifactId><version>1</version>
  <dependencies>${dependencies.join('')}</dependencies>
</project>
`;
}
