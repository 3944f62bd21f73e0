import { defineWorkload } from '../../define.ts'
import { misclassified } from '../../session.ts'
import type { ClientSpec, Kind } from '../../types.ts'

/** The attack, done by the owner of the input to see how the model stands it: `audit_simba`. It ends where the attack ends. */
export function asAudit<K extends Kind, Config extends object>(attack: ClientSpec<K, Config>): ClientSpec<K, Config> {
  const { role, profile: _profile, ...rest } = attack
  return defineWorkload<K, Config>({
    ...(role === 'evasion' && { succeeds: misclassified }),
    ...rest,
    name: `audit_${attack.name}`,
    summary: `with leave: ${attack.summary}`,
    profile: 'equivalent',
  })
}
