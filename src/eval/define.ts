/** One file, one client: how attacks and workloads are made, ours and yours alike. */
import { MonitorError } from '../core/index.ts'
import type { ClientSpec, Kind, Profile, Role } from './types.ts'

type Without<K extends Kind, Config extends object> = Omit<ClientSpec<K, Config>, 'role' | 'profile'>

/** An attack. `role` is `evasion` unless said otherwise. */
export function defineAttack<const K extends Kind, Config extends object>(
  spec: Without<K, Config> & { readonly role?: Exclude<Role, 'benign' | 'equivalent'> },
): ClientSpec<K, Config> {
  return checked({ role: 'evasion', ...spec })
}

/** An honest client of a profile, or one of the tier that does what attacks do, with leave. */
export function defineWorkload<const K extends Kind, Config extends object>(
  spec: Without<K, Config> & { readonly profile: Profile | 'equivalent' },
): ClientSpec<K, Config> {
  const { profile, ...rest } = spec
  if (profile === 'equivalent') return checked({ ...rest, role: 'equivalent' })
  return checked({ ...rest, role: 'benign', profile })
}

function checked<K extends Kind, Config extends object>(spec: ClientSpec<K, Config>): ClientSpec<K, Config> {
  if (typeof spec.name !== 'string' || !/^[a-z][a-z0-9_-]{0,63}$/.test(spec.name)) {
    const came = JSON.stringify(spec.name)
    throw new MonitorError('bad_config', `must be a lower-case name such as 'simba', came ${came}`, 'name')
  }
  if (typeof spec.run !== 'function') {
    throw new MonitorError(
      'bad_config',
      `must be a function (oracle, task, config), came ${typeof spec.run}`,
      `${spec.name}.run`,
    )
  }
  return Object.freeze({ ...spec })
}
