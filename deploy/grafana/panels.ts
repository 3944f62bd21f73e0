/** The look of each kind of panel in Grafana. */
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog'
import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  type DataSourceRef,
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import {
  type DynamicConfigValue,
  MappingType,
  type Panel,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard'
import {
  PanelBuilder as HeatmapBuilder,
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table'
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import {
  type GraphSpec,
  type Heading,
  type HeatmapSpec,
  LIMIT,
  type Line,
  type NumberSpec,
  type PanelSpec,
  type TableSpec,
} from './specs.ts'

/** The variable that chooses the Prometheus. */
export const DATASOURCE: DataSourceRef = { type: 'prometheus', uid: '$datasource' }

const GRAPH_HEIGHT = 8
const STAT_HEIGHT = 4
const LIMIT_LOOK: DynamicConfigValue[] = [
  { id: 'custom.lineStyle', value: { fill: 'dash', dash: [8, 6] } },
  { id: 'custom.fillOpacity', value: 0 },
  { id: 'custom.lineWidth', value: 2 },
]

/** A panel of the dashboard. */
export function panelOf(spec: PanelSpec): Builder<Panel> {
  switch (spec.kind) {
    case 'graph':
      return graph(spec)
    case 'number':
      return number(spec)
    case 'heatmap':
      return heatmap(spec)
    case 'table':
      return table(spec)
  }
}

function graph({ lines, isStacked = false, max, colours = {}, ...heading }: GraphSpec): Builder<Panel> {
  const builder = headed(new TimeseriesBuilder(), heading, GRAPH_HEIGHT)
    .min(0)
    .drawStyle(GraphDrawStyle.Line)
    .lineWidth(1)
    .fillOpacity(isStacked ? 60 : 5)
    .showPoints(VisibilityMode.Never)
    .stacking(new StackingConfigBuilder().mode(isStacked ? StackingMode.Normal : StackingMode.None))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(['lastNotNull', 'max']),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .targets(targetsOf(lines))
  if (max !== undefined) builder.max(max)
  if (lines.some(([legend]) => LIMIT.test(legend))) builder.overrideByRegexp(String(LIMIT), LIMIT_LOOK)
  for (const [name, fixedColor] of Object.entries(colours)) {
    builder.overrideByName(name, [{ id: 'color', value: { mode: 'fixed', fixedColor } }])
  }
  return builder
}

function number({ lines, steps, words, decimals, ...heading }: NumberSpec): Builder<Panel> {
  const builder = headed(new StatBuilder(), heading, STAT_HEIGHT)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .graphMode(words === undefined ? BigValueGraphMode.Area : BigValueGraphMode.None)
    .colorMode(steps === undefined ? BigValueColorMode.None : BigValueColorMode.Value)
    .textMode(lines.some(([legend]) => legend.includes('{{')) ? BigValueTextMode.ValueAndName : BigValueTextMode.Value)
    .targets(targetsOf(lines))
  if (decimals !== undefined) builder.decimals(decimals)
  if (words !== undefined) builder.mappings([mapping(words)])
  if (steps !== undefined) {
    const all = steps.map(([value, color]) => ({ value, color }))
    builder.thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(all))
  }
  return builder
}

function mapping(words: Readonly<Record<string, string>>): ValueMapping {
  const options = Object.entries(words).map(([value, text], index) => [value, { text, index }])
  return { type: MappingType.ValueToText, options: Object.fromEntries(options) }
}

function heatmap({ expression, ...heading }: HeatmapSpec): Builder<Panel> {
  const query = new DataqueryBuilder().expr(expression).legendFormat('{{le}}').format(PromQueryFormat.Heatmap)
  return headed(new HeatmapBuilder(), heading, GRAPH_HEIGHT)
    .calculate(false)
    .yAxis(new YAxisConfigBuilder().unit(heading.unit ?? 'short'))
    .color(new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme).scheme('Oranges').steps(64))
    .targets([query.refId('A').range()])
}

function table({ expression, columns, ...heading }: TableSpec): Builder<Panel> {
  const query = new DataqueryBuilder().expr(expression).format(PromQueryFormat.Table).instant()
  const fields = Object.keys(columns)
  return headed(new TableBuilder(), heading, GRAPH_HEIGHT)
    .targets([query.refId('A')])
    .withTransformation({ id: 'filterFieldsByName', options: { include: { names: fields } } })
    .withTransformation({
      id: 'organize',
      options: {
        indexByName: Object.fromEntries(fields.map((field, i) => [field, i])),
        renameByName: columns,
      },
    })
}

function targetsOf(lines: readonly Line[]): Builder<Dataquery>[] {
  return lines.map(([legend, expression], i) => {
    return new DataqueryBuilder()
      .expr(expression)
      .legendFormat(legend)
      .range()
      .refId(String.fromCharCode(65 + i))
  })
}

interface AnyPanel {
  title(title: string): this
  description(description: string): this
  datasource(datasource: DataSourceRef): this
  unit(unit: string): this
  height(rows: number): this
  span(columns: number): this
}

function headed<B extends AnyPanel>(builder: B, { title, description, unit, width }: Heading, height: number): B {
  return builder
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .unit(unit ?? 'short')
    .height(height)
    .span(width)
}
