/** What the server runs with, unless the caller says otherwise. Given on the command line, so that no file in the data folder overrules it. */
const SETTINGS: Readonly<Record<string, string>> = {
  // A committed change survives a loss of power.
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',

  // The log shows neither statements nor values: terse leaves out DETAIL, which quotes the row.
  log_statement: 'none',
  log_min_duration_statement: '-1',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
  log_destination: 'stderr',
  logging_collector: 'off',
  log_timezone: 'UTC',
  // Our own reading of a failed start depends on these words.
  lc_messages: 'C',

  max_connections: '100',
  shared_buffers: '128MB',
  max_wal_size: '1GB',
  checkpoint_timeout: '15min',
  // A tenant that is being filled doubles in seconds: with statistics a minute old an import runs at half its speed.
  autovacuum_naptime: '5s',
  // Statements here are short: compiling one costs more than running it.
  jit: 'off',
  timezone: 'UTC',
  cluster_name: 'tenure',
}

/** Arguments of `postgres`. The socket and the data folder are the launcher's and cannot be set by the caller. */
export function serverArguments(
  dataFolder: string,
  socketFolder: string,
  port: number,
  settings: Readonly<Record<string, string>>,
): string[] {
  const all: Record<string, string> = {
    ...SETTINGS,
    ...settings,
    // The TLS library inside is out of support: no TCP at all.
    listen_addresses: '',
    unix_socket_directories: socketFolder,
    unix_socket_permissions: '0700',
    port: String(port),
  }
  const faulty = Object.keys(all).find((name) => !/^[a-z][a-z0-9_.]*$/.test(name))
  if (faulty) throw new Error(`'${faulty}' is not the name of a PostgreSQL setting.`)
  return ['-D', dataFolder, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}
