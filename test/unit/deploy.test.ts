import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Deployment } from 'kubernetes-models/apps/v1'
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2'
import { Job } from 'kubernetes-models/batch/v1'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1'
import { Service } from 'kubernetes-models/v1'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { environment } from '../../src/config-variables.ts'
import { createMetrics } from '../../src/metrics.ts'
import { projectRoot } from '../../src/project-root.ts'
import { findProgram } from '../support/programs.ts'
import { readRepositoryFile } from '../support/repository.ts'

/** What a process of an installation with the defaults may take to end after SIGTERM. */
const STOP_SECONDS = 10 + environment.parse({}).SHUTDOWN_DELAY_SECONDS

type Labels = Record<string, string>
type Container = {
  command: string[]
  ports?: { name: string; containerPort: number }[]
  readinessProbe?: { httpGet: { path: string; port: string } }
  livenessProbe?: { httpGet: { path: string; port: string } }
  securityContext: { readOnlyRootFilesystem: boolean; allowPrivilegeEscalation: boolean }
  resources: { limits: { memory: string } }
}
type Pod = {
  containers: Container[]
  securityContext: { runAsNonRoot: boolean }
  terminationGracePeriodSeconds?: number
}
type Manifest = {
  apiVersion: string
  kind: string
  metadata: { name: string; labels: Labels }
  spec: {
    selector?: { matchLabels?: Labels }
    template?: { metadata: { labels: Labels }; spec: Pod }
    scaleTargetRef?: { name: string }
    metrics?: { external: { metric: { name: string } } }[]
  }
}

type Model = new (data: object) => { validate(): void }
const MODELS: Record<string, Model> = {
  ...{ Deployment, HorizontalPodAutoscaler, Job, PodDisruptionBudget, Service },
}

const folder = 'deploy/kubernetes'
const { resources } = parse(readRepositoryFile(`${folder}/kustomization.yaml`)) as { resources: string[] }
const manifests = resources.flatMap((file) =>
  parseAllDocuments(readRepositoryFile(`${folder}/${file}`)).map((one) => one.toJS() as Manifest),
)
const ofKind = (kind: string) => manifests.filter((one) => one.kind === kind)
const pods = manifests.flatMap(({ spec }) => spec.template?.spec ?? [])

/** The source of a program in dist. */
const sourceOf = (program: string) => program.replace(/^dist\//, '').replace(/\.js$/, '.ts')

describe('the manifests for Kubernetes', () => {
  it('are all applied, and have the kinds and versions that they should', () => {
    const files = readdirSync(join(projectRoot(), folder)).filter((file) => file !== 'kustomization.yaml')
    expect(files.sort()).toEqual([...resources].sort())
    expect(
      manifests.map(({ apiVersion, kind, metadata }) => `${apiVersion} ${kind} ${metadata.name}`),
    ).toEqual([
      'batch/v1 Job usher-migrate',
      'apps/v1 Deployment usher-server',
      'policy/v1 PodDisruptionBudget usher-server',
      'v1 Service usher',
      'apps/v1 Deployment usher-workers',
      'policy/v1 PodDisruptionBudget usher-workers',
      'autoscaling/v2 HorizontalPodAutoscaler usher-workers',
    ])
  })

  it.each(manifests)('fit the schema of Kubernetes: $kind $metadata.name', (manifest) => {
    const Model = MODELS[manifest.kind]
    const validate = (one: object) => new Model!(one).validate()
    expect(() => validate(manifest)).not.toThrow()
    expect(() => validate({ ...manifest, metadata: 'none' })).toThrow('metadata')
  })

  it('run programs that exist, as a plain user, on a read-only file system, within a limit of memory', () => {
    for (const { containers, securityContext } of pods)
      for (const { command, securityContext: own, resources } of containers) {
        expect(existsSync(join(projectRoot(), sourceOf(command[1] ?? '')))).toBe(true)
        expect(securityContext.runAsNonRoot).toBe(true)
        expect(own).toMatchObject({ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false })
        expect(resources.limits.memory).toMatch(/^\d+Mi$/)
      }
  })

  it('select the pods that they make, probe the internal listener, and wait for the end of a process', () => {
    for (const { metadata, spec } of [...ofKind('Deployment'), ...ofKind('PodDisruptionBudget')]) {
      expect(spec.selector?.matchLabels).toEqual(metadata.labels)
      if (spec.template) expect(spec.template.metadata.labels).toEqual(metadata.labels)
    }
    for (const { spec } of ofKind('Deployment')) {
      const [container] = spec.template!.spec.containers
      const ops = environment.parse({}).OPS_PORT
      expect(container!.ports).toContainEqual({ name: 'ops', containerPort: ops })
      expect(container!.readinessProbe?.httpGet).toEqual({ path: '/ready', port: 'ops' })
      expect(container!.livenessProbe?.httpGet).toEqual({ path: '/live', port: 'ops' })
      expect(spec.template!.spec.terminationGracePeriodSeconds).toBeGreaterThan(STOP_SECONDS)
    }
  })

  it('scale the workers by a metric that Usher has', () => {
    const [scaler] = ofKind('HorizontalPodAutoscaler')
    expect(ofKind('Deployment').map(({ metadata }) => metadata.name)).toContain(
      scaler!.spec.scaleTargetRef?.name,
    )
    const names = createMetrics()
      .registry.getMetricsAsArray()
      .map(({ name }) => name)
    expect(names).toContain(scaler!.spec.metrics?.[0]?.external.metric.name)
  })
})

describe('the units for systemd', () => {
  const units = ['usher@.service', 'usher-migrate.service']

  it.each(units)('%s runs a program that exists, with the rights of nobody', (unit) => {
    const text = readRepositoryFile(`deploy/systemd/${unit}`)
    const [, program = ''] = /^ExecStart=\/usr\/bin\/node (\S+)/m.exec(text) ?? []
    expect(existsSync(join(projectRoot(), sourceOf(program)))).toBe(true)
    expect(text).toMatch(/^DynamicUser=yes$/m)
    expect(text).toMatch(/^NoNewPrivileges=yes$/m)
  })

  it('wait for the end of a process', () => {
    const [, seconds] = /^TimeoutStopSec=(\d+)$/m.exec(readRepositoryFile(`deploy/systemd/${units[0]}`)) ?? []
    expect(Number(seconds)).toBeGreaterThan(STOP_SECONDS)
  })

  it.runIf(findProgram('systemd-analyze'))('are units that systemd can read', () => {
    const [service, migrate] = units.map((unit) => join(projectRoot(), 'deploy/systemd', unit))
    const found = (path: string) => {
      try {
        return execFileSync('systemd-analyze', ['verify', path], { stdio: 'pipe' }).toString()
      } catch (error) {
        return String((error as { stderr: Buffer }).stderr)
      }
    }
    expect([service!, migrate!].map(found).join('')).not.toMatch(/Unknown|Failed to parse|Invalid|ignoring/i)
  })
})

it('compose waits for the end of a process, and shows the console on loopback only', () => {
  const compose = parse(readRepositoryFile('compose.yaml'), { merge: true }) as {
    services: Record<
      string,
      { stop_grace_period?: string; ports?: string[]; read_only?: boolean; init?: boolean }
    >
  }
  for (const name of ['server', 'workers']) {
    const service = compose.services[name]!
    expect(Number.parseInt(service.stop_grace_period ?? '', 10)).toBeGreaterThan(STOP_SECONDS)
    expect(service).toMatchObject({ read_only: true, init: true })
  }
  expect(compose.services.server?.ports).toEqual(['3000:3000', '127.0.0.1:3001:3001'])
})
