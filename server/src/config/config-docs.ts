import { commandLineEnv, envPrefix } from './command-line-env.ts';
import { type DeclaredSetting, declaredSettings } from './declared-settings.ts';
import { settingsFileName } from './settings-file.ts';

/** docs/config.md, from the schema. */
export function renderConfigDocs(): string {
  return `# Settings

Generated from \`server/src/config/schema.ts\` by \`npm run docs\`: change it there.

Every setting has one name in three spellings: \`http.port\` in the file \`${settingsFileName}\` is
\`${envPrefix}HTTP_PORT\` in the environment and \`--http-port\` on the command line. Flags win over the
environment, the environment over the file, the file over the defaults. The hub reports all faults at
once, each with its source, and does not start with any; \`event-hub config print\` shows what holds and
where it comes from.

| file key | environment | flag | default |
|---|---|---|---|
${declaredSettings.map(renderRow).join('\n')}

${declaredSettings.map(renderSection).join('\n\n')}

## Rules

- The file is \`${settingsFileName}\` in the working folder, or the one that \`--config\` or
  \`${commandLineEnv.config}\` names. It holds one JSON object: \`{ "http": { "port": 8080 }, "logLevel": "warn" }\`.
  An unknown key or flag is a fault.
- A variable that is empty counts as absent. An unknown variable that starts with \`${envPrefix}\` is a
  warning, with the nearest known name.
- A relative path starts at the folder of the settings file, or at the working folder when there is none.
- What may hold a password or is one (${declaredSettings
    .filter(({ secret }) => secret)
    .map(({ path }) => `\`${path}\``)
    .join(', ')}) can be read from a file: the same variable with \`_FILE\` at its end names it.
- \`${commandLineEnv.url}\` (default \`http://127.0.0.1:8000\`) and \`${commandLineEnv.grpcUrl}\` (default
  \`127.0.0.1:50051\`) say where \`event-hub send\`, \`generate\` and \`tail\` find the hub;
  \`${commandLineEnv.clientCert}\` and \`${commandLineEnv.clientKey}\` name the PEM files of the certificate
  that they show to a hub that asks for one.
`;
}

function renderRow({ path, env, flag, defaultText }: DeclaredSetting): string {
  const cells = [
    `[\`${path}\`](#${anchor(path)})`,
    `\`${env}\``,
    `\`--${flag}\``,
    asCode(defaultText),
  ];
  return `| ${cells.join(' | ')} |`;
}

function renderSection(setting: DeclaredSetting): string {
  const { path, description, expected, fallbackEnv } = setting;
  const fallback = fallbackEnv === undefined ? '' : ` \`${fallbackEnv}\` counts when it is absent.`;
  return `### \`${path}\`\n\n${description} Expected: ${expected}.${fallback}`;
}

/** As GitHub makes it of a heading. */
function anchor(path: string): string {
  return path.toLowerCase().replaceAll('.', '');
}

function asCode(text: string): string {
  return text.includes('`') ? text : `\`${text}\``;
}
