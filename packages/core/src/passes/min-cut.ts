/** Minimum cut of a network by Dinic's maximum flow, without recursion: graphs are deep. */

interface Edge {
  readonly to: number;
  capacity: number;
  /** Position of the reverse edge in `edges[to]`. */
  readonly reverse: number;
}

/** A network under construction; vertices are numbers. */
export interface FlowNetwork {
  addVertex(): number;
  addEdge(from: number, to: number, capacity: number): void;
  /**
   * The smallest sink side of a minimum cut: the vertices from which the sink can still be reached once the flow is
   * largest. Capacities may be infinite as long as no path of infinite edges joins source and sink.
   */
  sinkSide(source: number, sink: number): ReadonlySet<number>;
}

/** An empty network. */
export function createFlowNetwork(): FlowNetwork {
  const edges: Edge[][] = [];
  return Object.freeze({
    addVertex: () => edges.push([]) - 1,
    addEdge: (from: number, to: number, capacity: number) => {
      edges[from]!.push({ to, capacity, reverse: edges[to]!.length });
      edges[to]!.push({ to: from, capacity: 0, reverse: edges[from]!.length - 1 });
    },
    sinkSide: (source: number, sink: number) => {
      for (;;) {
        const levels = levelsFrom(edges, source);
        if (levels[sink] === -1) break;
        blockFlow(edges, levels, source, sink);
      }
      return reaching(edges, sink);
    },
  });
}

/** Distance of each vertex from `source` over edges with capacity left, −1 where there is none. */
function levelsFrom(edges: readonly Edge[][], source: number): Int32Array {
  const levels = new Int32Array(edges.length).fill(-1);
  levels[source] = 0;
  const queue = [source];
  for (const vertex of queue) {
    for (const { to, capacity } of edges[vertex]!) {
      if (capacity <= 0 || levels[to] !== -1) continue;
      levels[to] = levels[vertex]! + 1;
      queue.push(to);
    }
  }
  return levels;
}

/** Pushes flow along paths of rising level until none is left. */
function blockFlow(
  edges: readonly Edge[][],
  levels: Int32Array,
  source: number,
  sink: number,
): void {
  const next = new Int32Array(edges.length);
  const path: Edge[] = [];
  for (;;) {
    const vertex = path.at(-1)?.to ?? source;
    if (vertex === sink) {
      pushFlow(edges, path);
      path.length = 0;
      continue;
    }
    const edge = edges[vertex]![next[vertex]!];
    if (edge && edge.capacity > 0 && levels[edge.to] === levels[vertex]! + 1) path.push(edge);
    else if (edge) next[vertex]!++;
    else if (path.length === 0) return;
    else {
      // A dead end: nobody needs to come here again.
      const { to, reverse } = path.pop()!;
      next[edges[to]![reverse]!.to]!++;
    }
  }
}

function pushFlow(edges: readonly Edge[][], path: readonly Edge[]): void {
  const flow = path.reduce((least, { capacity }) => Math.min(least, capacity), Infinity);
  for (const edge of path) {
    edge.capacity -= flow;
    edges[edge.to]![edge.reverse]!.capacity += flow;
  }
}

/** Vertices with a path of left-over capacity to `sink`. */
function reaching(edges: readonly Edge[][], sink: number): ReadonlySet<number> {
  const found = new Set([sink]);
  for (const vertex of found) {
    for (const { to, reverse } of edges[vertex]!) {
      if (edges[to]![reverse]!.capacity > 0) found.add(to);
    }
  }
  return found;
}
