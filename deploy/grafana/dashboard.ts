/**
 * The dashboard as code. `npm run dashboard` writes dashboards/monitaur.json, which Grafana reads. In the classic form,
 * which every Grafana in use can import, not in the newer one of the SDK.
 */
import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DATASOURCE, panelOf } from './panels.ts'
import { ofDetectors, ofModels, ofServers } from './queries.ts'
import { ROWS } from './rows.ts'

/** The whole dashboard, plain data. The same at every call. */
export function dashboard(): Dashboard {
  const builder = new DashboardBuilder('monitaur')
    .uid('monitaur')
    .description('Suspicious queries to machine-learning models: who asks, what was decided, and how the server is.')
    .tags(['monitaur'])
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .variables([
      new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'),
      variable('job', 'Job', 'label_values(monitaur_build_info, job)'),
      variable('instance', 'Server', 'label_values(monitaur_build_info{job=~"$job"}, instance)'),
      variable('model', 'Model', `label_values(${ofServers('monitaur_decisions_total')}, model)`, '.*'),
      variable('detector', 'Detector', `label_values(${ofModels('monitaur_threshold')}, detector)`, '.*'),
      variable('unit', 'Unit', `label_values(${ofDetectors('monitaur_threshold')}, unit)`),
    ])
    .annotations([
      annotation(
        'Firing alerts',
        'red',
        'ALERTS{alertname=~"Monitaur.+",alertstate="firing",job=~"$job|"}',
        '{{alertname}}',
      ),
      annotation(
        'Restarts',
        'blue',
        `changes(${ofServers('process_start_time_seconds')}[$__rate_interval]) > 0`,
        '{{instance}}',
      ),
    ])
  for (const { title, panels, each } of ROWS) {
    const row = new RowBuilder(title)
    builder.withRow(each === undefined ? row : row.repeat(each))
    for (const panel of panels) builder.withPanel(panelOf(panel))
  }
  return numbered(builder.build())
}

/** All of them at first. `allValue` in place of a list of all, for labels that some series do not have. */
function variable(name: string, label: string, query: string, allValue?: string) {
  const builder = new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query({ query, refId: name })
    .definition(query)
    .multi(true)
    .includeAll(true)
    .current({ selected: true, text: ['All'], value: ['$__all'] })
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
  return allValue === undefined ? builder : builder.allValue(allValue)
}

function annotation(name: string, colour: string, expression: string, title: string) {
  return new AnnotationQueryBuilder()
    .name(name)
    .datasource(DATASOURCE)
    .enable(true)
    .iconColor(colour)
    .expr(expression)
    .titleFormat(title)
}

/** Links to a panel hold its number, so it must not be Grafana's choice. */
function numbered(made: Dashboard): Dashboard {
  return { ...made, panels: (made.panels ?? []).map((panel, i) => ({ ...panel, id: i + 1 })) }
}
