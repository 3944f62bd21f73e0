/** What is written: every block runs somewhere, every command exists, every link leads somewhere, headings are in order. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { blocksOf } from './tools/blocks.ts'
import { ELSEWHERE, RUN, WALKED } from './tools/docsPages.ts'
import { anchorsOf, headingsOf, linksOf, markdownFiles, proseOf } from './tools/markdown.ts'

const root = resolve(import.meta.dirname, '..')
const pages = readdirSync(join(root, 'docs')).filter((file) => file.endsWith('.md'))
const textOf = (file: string) => readFileSync(join(root, file), 'utf8')
const files = markdownFiles(root)

describe('the blocks of docs', () => {
  test('are all run by some test', () => {
    const withBlocks = pages.filter((file) => blocksOf(textOf(`docs/${file}`)).length > 0)
    expect([...RUN, ...WALKED, ...ELSEWHERE].map((page) => `${page}.md`).sort()).toEqual(withBlocks.sort())
  })

  test('all name their language', () => {
    for (const file of pages) {
      const fences = textOf(`docs/${file}`).match(/^```.*$/gm) ?? []
      const opening = fences.filter((_, i) => i % 2 === 0)
      expect(fences.length % 2, file).toBe(0)
      expect(
        opening.filter((fence) => fence === '```'),
        file,
      ).toEqual([])
    }
  })
})

describe('the commands that texts and tables name', () => {
  const named = files.flatMap((file) =>
    [...proseOf(textOf(file)).matchAll(/`([^`\n]+)`/g)].map((match) => [file, match[1]!]),
  )
  const starting = (start: string) => named.filter(([, code]) => code!.startsWith(start)) as [string, string][]

  test('are scripts of the package, or files, that there are', () => {
    const { scripts } = JSON.parse(textOf('package.json'))
    for (const [file, code] of starting('npm run ')) {
      expect(Object.keys(scripts), `${file}: ${code}`).toContain(code.split(/[\s;&|]+/)[2])
    }
    const run = starting('node ').filter(([, code]) => !/^node (?:--?\w|dist\/|\w+\.(?:mjs|js)$)/.test(code))
    expect(run.length).toBeGreaterThan(10)
    for (const [file, code] of run) {
      const path = code.split(' ')[1]!
      const found = existsSync(join(root, path)) || existsSync(join(root, dirname(file), path))
      expect(found, `${file}: ${code}`).toBe(true)
    }
    for (const [file, code] of starting('npx vitest run ')) {
      for (const path of code
        .split(' ')
        .slice(3)
        .filter((word) => word.startsWith('test/'))) {
        expect(existsSync(join(root, path)), `${file}: ${code}`).toBe(true)
      }
    }
  })

  test('have options that the command line knows', () => {
    const help = new Map<string, string>()
    const helpOf = (command: string) => {
      if (!help.has(command)) {
        help.set(
          command,
          execFileSync(process.execPath, [join(root, 'dist/cli.js'), command, '--help'], { encoding: 'utf8' }),
        )
      }
      return help.get(command)!
    }
    const calls = [...starting('npx monitaur '), ...starting('monitaur ')]
    expect(calls.length).toBeGreaterThan(10)
    for (const [file, code] of calls) {
      const [, command, rest] = /monitaur ([a-z]+)(.*)/.exec(code) ?? []
      if (command === undefined) continue
      for (const option of rest!.match(/--[a-z-]+/g) ?? [])
        expect(helpOf(command), `${file}: ${code}`).toContain(option)
    }
  })
})

describe('the links', () => {
  const anchors = new Map(files.map((file) => [file, anchorsOf(textOf(file))]))

  test('between files lead to files and headings that there are', () => {
    const dead: string[] = []
    for (const file of files) {
      for (const { target, anchor, line } of linksOf(textOf(file))) {
        if (/^[a-z]+:/.test(target)) continue
        const path = target === '' ? file : join(dirname(file), target)
        const isThere = existsSync(join(root, path))
        if (!isThere) dead.push(`${file}:${line} ${target}`)
        else if (anchor !== '' && anchors.has(path) && !anchors.get(path)!.includes(anchor)) {
          dead.push(`${file}:${line} ${target}#${anchor}`)
        }
      }
    }
    expect(dead).toEqual([])
  })

  test('to other places are listed, and safe', () => {
    const others = files.flatMap((file) =>
      linksOf(textOf(file)).flatMap(({ target, line }) =>
        /^[a-z]+:/.test(target) ? [`${target} ${file}:${line}`] : [],
      ),
    )
    writeFileSync(join(root, 'reports/external-links.txt'), `${others.sort().join('\n')}\n`)
    expect(others.filter((link) => !link.startsWith('https://') && !link.startsWith('http://127.0.0.1'))).toEqual([])
  })
})

test('headings begin with one of the first level and leave no level out', () => {
  const wrong: string[] = []
  for (const file of files) {
    const levels = headingsOf(textOf(file)).map(({ level }) => level)
    if (levels[0] !== 1 || levels.filter((level) => level === 1).length > 1) wrong.push(`${file}: ${levels.join(' ')}`)
    levels.forEach((level, i) => {
      if (i > 0 && level > levels[i - 1]! + 1) wrong.push(`${file}: level ${level} follows ${levels[i - 1]}`)
    })
  }
  expect(wrong).toEqual([])
})
