/** The shapes of bodies, as JSON schemas of OpenAPI 3.1. */

export type Schema = Readonly<Record<string, unknown>>

const text = { type: 'string' } as const
const number = { type: 'number' } as const
const count = { type: 'integer', minimum: 0 } as const
const flag = { type: 'boolean' } as const
const action = { type: 'string', enum: ['allow', 'flag', 'throttle', 'suspend'] } as const
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const list = (items: Schema) => ({ type: 'array', items })

/** An object; the fields in `required` are always there. */
function object(properties: Readonly<Record<string, Schema>>, required: readonly string[] = Object.keys(properties)) {
  return { type: 'object', properties, ...(required.length === 0 ? {} : { required }) }
}

const input = {
  description: 'A text, a list of texts, a row of a table; with modality "image" a picture in base64',
  oneOf: [
    text,
    list(text),
    { type: 'object', additionalProperties: { type: ['number', 'string', 'boolean', 'null'] } },
  ],
}
const numbers = list(number)
const query = {
  modality: { type: 'string', enum: ['text', 'tabular', 'image', 'any'] },
  client_id: { type: 'string', maxLength: 256, description: 'Who asked' },
  group_id: { type: 'string', maxLength: 256, description: 'What links the client to others' },
  model: { type: 'string', description: 'Which of several models; the first one by default' },
  embedding: { ...numbers, description: 'Given: the embedder is not called' },
  id: { type: 'string', maxLength: 256 },
  metadata: { description: 'Not looked at' },
}

export const SCHEMAS: Readonly<Record<string, Schema>> = {
  Error: object({ error: ref('Problem') }),
  Problem: object({
    code: { type: 'string', description: 'For programs to branch on' },
    message: text,
    path: { type: 'string', description: 'The place in the request' },
  }),
  DetectRequest: object(
    { input_data: input, model_output: { ...numbers, description: 'Class probabilities' }, ...query },
    ['input_data'],
  ),
  DetectAnswer: object({
    is_suspicious: flag,
    confidence: { type: 'number', description: 'Of the confidence detector its raw score' },
    reason: text,
    metadata: { type: 'object' },
  }),
  Query: object({ input_data: input, model_output: numbers, ...query }, []),
  Form: object(
    {
      image: { type: 'string', contentMediaType: 'application/octet-stream', description: 'A PNG, JPEG or WebP file' },
      model_output: { ...numbers, description: 'As JSON' },
      client_id: text,
      model: text,
      id: text,
    },
    [],
  ),
  Detection: object(
    {
      detector: text,
      suspicious: flag,
      score: number,
      threshold: number,
      confidence: { type: 'number', minimum: 0, maximum: 1 },
      pValue: number,
      reason: text,
      metadata: {},
    },
    ['detector', 'suspicious', 'score', 'threshold', 'confidence', 'reason', 'metadata'],
  ),
  Verdict: object(
    {
      suspicious: flag,
      action,
      proposed: action,
      reply: { type: 'string', enum: ['silent', 'delayed'], description: 'How to refuse, where not openly' },
      explanation: { type: 'string', description: 'Why the client is throttled or suspended' },
      detections: list(ref('Detection')),
      skipped: list(text),
      errors: list(ref('Problem')),
      client: object(
        { id: text, evidence: number, pValue: number, suspendedUntilMs: number, suspendedSinceMs: number },
        ['id', 'evidence'],
      ),
      group: object({ id: text, evidence: number, pValue: number }, ['id', 'evidence']),
      id: text,
      timeMs: number,
    },
    ['suspicious', 'action', 'proposed', 'detections', 'skipped', 'errors', 'client', 'timeMs'],
  ),
  Queries: list(ref('Query')),
  BatchItems: list(ref('BatchItem')),
  BatchItem: object({ index: count, verdict: ref('Verdict'), error: ref('Problem') }, ['index']),
  Client: object(
    {
      model: text,
      id: text,
      evidence: number,
      lastMs: number,
      queries: count,
      suspicious: count,
      suspendedUntilMs: number,
      reason: text,
    },
    ['id', 'evidence', 'lastMs', 'queries', 'suspicious'],
  ),
  Clients: object({ total: count, clients: list(ref('Client')) }),
  ClientDetail: object({ model: text, client: ref('Client'), queries: list(ref('VerdictSummary')) }),
  VerdictSummary: object(
    {
      timeMs: number,
      suspicious: flag,
      action,
      proposed: action,
      evidence: number,
      detections: list(object({ detector: text, suspicious: flag, score: number, threshold: number, reason: text })),
      errors: list(object({ code: text, path: text })),
      explanation: text,
      id: text,
    },
    ['timeMs', 'suspicious', 'action', 'proposed', 'evidence', 'detections', 'errors'],
  ),
  SuspendRequest: object({ forMs: { type: 'number', minimum: 1, description: "Default: the policy's length" } }, []),
  Suspension: object({ model: text, id: text, suspendedUntilMs: number, enforced: flag }),
  Release: object({ model: text, id: text }),
  Erasure: object({ model: text, id: text, erased: { const: true } }),
  ClientExport: object({
    model: text,
    id: text,
    held: {
      description: 'Null where only the last verdicts are left',
      type: ['object', 'null'],
      properties: {
        id: text,
        group: text,
        summary: { oneOf: [ref('Client'), { type: 'null' }] },
        suspension: { type: ['object', 'null'] },
        memories: list(object({ label: text, snapshot: { type: 'object' } })),
      },
    },
    queries: list(ref('VerdictSummary')),
  }),
  Feedback: object(
    { kind: { type: 'string', enum: ['true_positive', 'false_positive'] }, detector: text, model: text },
    ['kind'],
  ),
  Counted: object({ counted: { const: true } }),
  State: object({ status: text }),
  Status: object({
    build: object({ version: text, runtime: text }),
    startedMs: number,
    nowMs: number,
    uptimeSeconds: number,
    state: { type: 'string', enum: ['starting', 'ready', 'stopping'] },
    isGuarded: flag,
    inFlight: count,
    listeners: count,
    limits: { type: 'object' },
    models: list({ type: 'object' }),
  }),
}
