import type { Command } from './command.ts';

interface Entry {
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Commands load only when they are called, so that each starts fast. */
export const commands: Readonly<Record<string, Entry>> = {
  serve: {
    summary: 'Run the hub.',
    load: async () => erased((await import('./commands/serve.ts')).serve),
  },
  send: {
    summary: 'Send events from flags, a file or stdin.',
    load: async () => erased((await import('./commands/send.ts')).send),
  },
  generate: {
    summary: 'Send believable shop traffic and measure it.',
    load: async () => erased((await import('./commands/generate.ts')).generate),
  },
  tail: {
    summary: 'Follow events live; resumes by itself.',
    load: async () => erased((await import('./commands/tail.ts')).tail),
  },
  events: {
    summary: 'List, find and export stored events.',
    load: async () => erased((await import('./commands/events.ts')).events),
  },
  metrics: {
    summary: 'Show, verify or rebuild the totals.',
    load: async () => erased((await import('./commands/metrics.ts')).metrics),
  },
  keys: {
    summary: 'Make, list, rotate and revoke API keys.',
    load: async () => erased((await import('./commands/keys.ts')).keys),
  },
  doctor: {
    summary: 'Check settings, ports, disk, engine and clock.',
    load: async () => erased((await import('./commands/doctor.ts')).doctor),
  },
  config: {
    summary: 'Print the settings in force, or take changed ones over.',
    load: async () => erased((await import('./commands/config.ts')).config),
  },
  backup: {
    summary: "Copy the embedded mode's file, also while the hub runs.",
    load: async () => erased((await import('./commands/backup.ts')).backup),
  },
  restore: {
    summary: 'Put such a copy in the place of a stopped hub.',
    load: async () => erased((await import('./commands/restore.ts')).restore),
  },
  copy: {
    summary: "Move a hub's data to other engines.",
    load: async () => erased((await import('./commands/copy.ts')).copy),
  },
  log: {
    summary: 'Take over a log that was restored, emptied or replaced.',
    load: async () => erased((await import('./commands/log.ts')).log),
  },
  'log-level': {
    summary: "Show or change the level of a running hub's log.",
    load: async () => erased((await import('./commands/log-level.ts')).logLevel),
  },
  migrate: {
    summary: 'Show or do what brings an older store up to date.',
    load: async () => erased((await import('./commands/migrate.ts')).migrate),
  },
  retention: {
    summary: 'See or do the removal of old events.',
    load: async () => erased((await import('./commands/retention.ts')).retention),
  },
  export: {
    summary: 'Write stored events to a file; goes on after a break.',
    load: async () => erased((await import('./commands/export.ts')).exportEvents),
  },
  import: {
    summary: 'Send the events of such a file to a hub; can be repeated.',
    load: async () => erased((await import('./commands/import.ts')).importEvents),
  },
  'import-prototype': {
    summary: "Send the prototype's events to a hub.",
    load: async () => erased((await import('./commands/import-prototype.ts')).importPrototype),
  },
  reset: {
    summary: 'Empty a stopped hub.',
    load: async () => erased((await import('./commands/reset.ts')).reset),
  },
};

/** The parser gives every command the values that its own flags declare, so the flags' types may be forgotten here. */
function erased<C>(command: C): Command {
  return command as Command;
}
