#include "server/metrics.h"

#include <map>

#include "observe/exposition.h"
#include "server/graph.h"
#include "server/process_figures.h"

namespace carrel::server {
namespace {

using observe::DurationCounts;
using observe::Exposition;
using Kind = Exposition::Kind;

constexpr double kNanos = 1e-9;  // in seconds

std::string_view name_of(Listener listener) {
  switch (listener) {
    case Listener::apps:
      return "apps";
    case Listener::data:
      return "data";
    case Listener::admin:
      return "admin";
    case Listener::plain:
      break;
  }
  return "plain";
}

// `of` is asked of each shard.
template <typename Of>
auto sum(const Graph& graph, Of of) {
  std::decay_t<decltype(of(*graph.shards.front()))> total{};
  for (const auto& shard : graph.shards) total += of(*shard);
  return total;
}

void write_results(Exposition& out, const Graph& graph,
                   const observe::OutcomeCounts* (*of)(const ShardUnit& shard)) {
  const auto each = [&](auto read) {
    return sum(graph, [&](const ShardUnit& shard) -> std::uint64_t {
      const auto* const counts = of(shard);
      return counts == nullptr ? 0 : read(*counts);
    });
  };
  out.sample({{"result", "ok"}}, each([](const auto& counts) { return counts.well(); }));
  for (std::size_t i = 0; i < observe::kCodes.size(); ++i) {
    const std::uint64_t count = each([i](const auto& counts) { return counts.failed(i); });
    if (count > 0) out.sample({{"result", code_name(observe::kCodes[i])}}, count);
  }
}

void write_process(Exposition& out, const Graph& graph) {
  out.family("carrel_build_info", Kind::gauge, "1, with what this process was built from.");
  out.sample({{"version", graph.options.version}, {"compiler", "clang " __clang_version__}},
             std::uint64_t{1});
  out.single("carrel_ready", Kind::gauge, "Whether it takes requests (/readyz).",
             std::uint64_t{graph.node.readiness() == api::Readiness::ready &&
                           graph.store->store().health() == store::StoreStatus::Health::well});
  out.single("carrel_shards", Kind::gauge, "Threads that serve.",
             std::uint64_t{graph.shards.size()});
  out.single("carrel_log_lines_dropped_total", Kind::counter,
             "Log lines that were lost because they could not be written as fast as they came.",
             graph.logs->dropped());
  const ProcessFigures process = process_figures();
  out.single("process_cpu_seconds_total", Kind::counter, "CPU time of all threads.",
             process.cpu_seconds);
  out.single("process_start_time_seconds", Kind::gauge, "When it started, since 1970.",
             process.start_seconds);
  out.single("process_resident_memory_bytes", Kind::gauge, "Memory that is in use.",
             process.resident_bytes);
  out.single("process_virtual_memory_bytes", Kind::gauge,
             "Address space; most of it is reserved for guests, and holds nothing.",
             process.virtual_bytes);
  out.single("process_threads", Kind::gauge, "Threads.", process.threads);
  out.single("process_open_fds", Kind::gauge, "Open files and connections.", process.open_files);
  out.single("process_max_fds", Kind::gauge, "How many of them there may be.", process.most_files);
}

void write_requests(Exposition& out, const Graph& graph) {
  constexpr std::array<std::string_view, RequestFigures::kClasses> kClasses{"1xx", "2xx", "3xx",
                                                                            "4xx", "5xx"};
  out.family("carrel_http_request_duration_seconds", Kind::histogram,
             "Requests that have ended, by the class of their status, from the head to the last "
             "byte of the reply.");
  for (const Listener listener : kListeners) {
    for (std::size_t i = 0; i < kClasses.size(); ++i) {
      out.sample({{"listener", name_of(listener)}, {"class", kClasses[i]}},
                 sum(graph, [&](const ShardUnit& shard) {
                   return shard.requests(listener).durations(i);
                 }));
    }
  }
  const auto by_listener = [&](std::string_view name, Kind kind, std::string_view help, auto of) {
    out.family(name, kind, help);
    for (const Listener listener : kListeners) {
      out.sample(
          {{"listener", name_of(listener)}},
          sum(graph, [&](const ShardUnit& shard) -> std::uint64_t { return of(shard, listener); }));
    }
  };
  by_listener("carrel_http_received_bytes_total", Kind::counter, "Bytes of requests.",
              [](const ShardUnit& shard, Listener l) { return shard.requests(l).bytes_in(); });
  by_listener("carrel_http_sent_bytes_total", Kind::counter, "Bytes of replies.",
              [](const ShardUnit& shard, Listener l) { return shard.requests(l).bytes_out(); });
  by_listener("carrel_http_connections", Kind::gauge, "Open connections.",
              [](const ShardUnit& shard, Listener l) { return shard.connections(l); });
  out.family("carrel_auth_failures_total", Kind::counter,
             "Requests that were refused because nobody who may ask made them.");
  for (const Listener listener : kListeners) {
    const std::uint64_t count =
        listener == Listener::admin
            ? (graph.api ? graph.api->strangers() : 0)
            : sum(graph, [&](const ShardUnit& shard) { return shard.strangers(listener); });
    out.sample({{"listener", name_of(listener)}}, count);
  }
}

void write_turns(Exposition& out, const Graph& graph) {
  const auto shards = [&](auto of) { return sum(graph, of); };
  out.family("carrel_turns_total", Kind::counter,
             "Turns that have ended: ok, or the code of their error.");
  write_results(out, graph,
                [](const ShardUnit& shard) { return &shard.runtime().figures().outcomes; });
  out.single("carrel_turn_duration_seconds", Kind::histogram,
             "How long turns took, waits, runs and commit together.",
             shards([](const auto& s) { return s.runtime().figures().durations.counts(); }));
  out.single("carrel_turn_admission_wait_seconds", Kind::histogram,
             "How long turns waited for a slot, those that had to.",
             shards([](const auto& s) { return s.runtime().figures().waited.counts(); }));
  out.single("carrel_turns_running", Kind::gauge, "Slots for instances in use.",
             shards([](const auto& s) { return s.runtime().admitted().running.value(); }));
  out.single("carrel_turns_waiting", Kind::gauge, "Turns that wait for a slot.",
             shards([](const auto& s) { return s.runtime().admitted().waiting.value(); }));
  out.single("carrel_turn_slots", Kind::gauge, "Slots for instances.",
             shards([](const auto& s) { return s.runtime().limits().turns; }));
  out.single("carrel_guest_cpu_seconds_total", Kind::counter, "CPU time that guests have used.",
             kNanos * static_cast<double>(shards([](const auto& s) {
               return s.shard().run_queue().figures().cpu_nanos.value();
             })));
  out.single("carrel_run_queue_length", Kind::gauge, "Guests that wait for their next slice.",
             shards([](const auto& s) { return s.shard().run_queue().figures().waiting.value(); }));
  out.single("carrel_run_queue_wait_seconds", Kind::histogram,
             "How long guests waited for a slice, each time one did.",
             shards([](const auto& s) { return s.shard().run_queue().figures().waited.counts(); }));
}

// Of all shards, by tenant and app.
struct AppSum {
  std::uint64_t turns = 0, failed = 0, nanos = 0, cpu_nanos = 0;
};

void write_apps(Exposition& out, const Graph& graph) {
  std::map<std::pair<std::string, std::string>, AppSum> apps;
  for (const auto& shard : graph.shards) {
    shard->runtime().figures().apps.read([&](const runtime::AppTable::Slot& slot) {
      AppSum& sum = apps[{slot.tenant, slot.app}];
      sum.turns += slot.figures.turns.value();
      sum.failed += slot.figures.failed.value();
      sum.nanos += slot.figures.nanos.value();
      sum.cpu_nanos += slot.figures.cpu_nanos.value();
    });
  }
  const auto write = [&](std::string_view name, std::string_view help, auto value) {
    out.family(name, Kind::counter, help);
    for (const auto& [app, sum] : apps)
      out.sample({{"tenant", app.first}, {"app", app.second}}, value(sum));
  };
  const auto seconds = [](std::uint64_t nanos) { return kNanos * static_cast<double>(nanos); };
  write("carrel_app_turns_total", "Turns of the app that have ended.",
        [](const AppSum& sum) { return sum.turns; });
  write("carrel_app_turns_failed_total", "Of them, those that failed or were cancelled.",
        [](const AppSum& sum) { return sum.failed; });
  write("carrel_app_turn_seconds_total", "How long they took in sum.",
        [&](const AppSum& sum) { return seconds(sum.nanos); });
  write("carrel_app_cpu_seconds_total", "CPU time that their guests used.",
        [&](const AppSum& sum) { return seconds(sum.cpu_nanos); });
}

void write_store(Exposition& out, const store::StoreStatus& store) {
  const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    out.single(name, Kind::counter, help, value);
  };
  const auto gauge = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    out.single(name, Kind::gauge, help, value);
  };
  gauge("carrel_store_up", "Whether the store takes commits.",
        std::uint64_t{store.health == store::StoreStatus::Health::well});
  counter("carrel_store_commits_total", "Commits that were accepted.", store.commits.commits);
  counter("carrel_store_batches_total", "Writes in which they were applied together.",
          store.commits.batches);
  counter("carrel_store_committed_bytes_total", "Bytes of their changes.", store.commits.bytes);
  out.single("carrel_store_sync_duration_seconds", Kind::histogram,
             "How long it took until commits were on the disk, each time it was asked.",
             store.sync_times);
  out.family("carrel_store_refused_commits_total", Kind::counter,
             "Commits that were refused, by why.");
  out.sample({{"reason", "conflict"}}, store.commits.conflicts);
  out.sample({{"reason", "ticket"}}, store.commits.ticket_refusals);
  out.sample({{"reason", "floor"}}, store.commits.floors);
  out.sample({{"reason", "quota"}}, store.commits.quotas);
  out.sample({{"reason", "failure"}}, store.commits.failures);
  counter("carrel_turn_reruns_total", "Runs of turns that began anew after a conflict.",
          store.reruns);
  gauge("carrel_store_queued_bytes", "Bytes of commits on their way.", store.commits.queued_bytes);
  counter("carrel_store_held_back_total", "Commits that waited because too much was on its way.",
          store.held_back);
  counter("carrel_store_disk_reads_total", "Reads that were not in memory.", store.disk_reads);
  counter("carrel_store_expired_snapshots_total", "Views of the state that were held too long.",
          store.expired_snapshots);
  counter("carrel_store_corruptions_total", "Damaged data met by reads.", store.corruptions);
  gauge("carrel_store_damaged_parts", "Parts of blobs that are known to be damaged.",
        store.damaged_parts);
  out.family("carrel_store_swept_total", Kind::counter, "What was taken away as nobody needs it.");
  out.sample({{"what", "names"}}, store.swept_records);
  out.sample({{"what", "parts"}}, store.swept_parts);
  out.sample({{"what", "files"}}, store.swept_files);
  gauge("carrel_store_watches", "Watches of stores.", store.watches);
  gauge("carrel_store_keys", "Keys, estimated.", store.size.keys);
  gauge("carrel_store_disk_bytes", "Bytes of its tables on the disk.", store.size.bytes_on_disk);
  gauge("carrel_store_memory_bytes", "Bytes of its tables in memory.", store.size.bytes_in_memory);
}

void write_code(Exposition& out, const wasm::CodeCache::Figures& code) {
  out.family("carrel_code_cache_lookups_total", Kind::counter,
             "Modules that were looked for in the cache of compiled code.");
  out.sample({{"result", "hit"}}, code.hits.value());
  out.sample({{"result", "miss"}}, code.misses.value());
  out.single("carrel_code_compile_duration_seconds", Kind::histogram,
             "How long modules took to be compiled.", code.compiled.counts());
  out.single("carrel_code_compile_failures_total", Kind::counter,
             "Modules that could not be compiled.", code.failed.value());
}

void write_deliveries(Exposition& out, const Graph& graph) {
  const auto shards = [&](auto of) {
    return sum(graph, [&](const ShardUnit& shard) -> std::uint64_t {
      return of(shard.deliveries().figures());
    });
  };
  out.family("carrel_delivery_attempts_total", Kind::counter,
             "Attempts to deliver events, by what came of them.");
  out.sample({{"result", "done"}}, shards([](const auto& f) { return f.done.value(); }));
  out.sample({{"result", "failed"}}, shards([](const auto& f) { return f.failed.value(); }));
  out.sample({{"result", "put_off"}}, shards([](const auto& f) { return f.not_now.value(); }));
  out.single("carrel_delivery_dead_total", Kind::counter, "Events that became dead letters.",
             shards([](const auto& f) { return f.dead.value(); }));
  out.single("carrel_delivery_redriven_total", Kind::counter, "Dead letters that are tried again.",
             shards([](const auto& f) { return f.redriven.value(); }));
  out.single("carrel_deliveries_open", Kind::gauge,
             "Events that wait to be delivered, or are being delivered.",
             shards([](const auto& f) { return f.open.value(); }));
  out.single("carrel_deliveries_running", Kind::gauge, "Attempts under way.",
             shards([](const auto& f) { return f.running.value(); }));
  out.single("carrel_deliveries_paused", Kind::gauge, "Whether deliveries are paused.",
             std::uint64_t{graph.deliveries.paused()});
}

void write_calls(Exposition& out, const Graph& graph) {
  out.family("carrel_calls_total", Kind::counter,
             "Calls to the outside, by guests, endpoints and the node: ok, or the code of what "
             "went wrong.");
  write_results(out, graph, [](const ShardUnit& shard) {
    const net::Client* const client = shard.client();
    return client == nullptr ? nullptr : &client->figures().outcomes;
  });
  out.single("carrel_call_duration_seconds", Kind::histogram,
             "How long calls took until the head of their response.",
             sum(graph, [](const ShardUnit& shard) {
               const net::Client* const client = shard.client();
               return client == nullptr ? DurationCounts() : client->figures().durations.counts();
             }));
  out.single("carrel_egress_refused_total", Kind::counter,
             "Calls that were refused because of the address they led to.",
             sum(graph, [](const ShardUnit& shard) -> std::uint64_t {
               const net::Client* const client = shard.client();
               return client == nullptr ? 0
                                        : client->figures().outcomes.failed(Code::egress_address);
             }));
}

void write_traces(Exposition& out, const Graph& graph) {
  using Figures = observe::Tracer::Figures;
  const auto each = [&](observe::Counter Figures::* figure) {
    return sum(graph, [figure](const ShardUnit& shard) -> std::uint64_t {
      const observe::Tracer* const tracer = shard.tracer();
      return tracer == nullptr ? 0 : (tracer->figures().*figure).value();
    });
  };
  out.family("carrel_trace_spans_total", Kind::counter,
             "Spans of traces: sent, not taken by the collector, or dropped as too many waited.");
  out.sample({{"result", "sent"}}, each(&Figures::sent));
  out.sample({{"result", "failed"}}, each(&Figures::failed));
  out.sample({{"result", "dropped"}}, each(&Figures::dropped));
}

}  // namespace

std::string scrape(const Graph& graph) {
  Exposition out;
  write_process(out, graph);
  write_requests(out, graph);
  write_turns(out, graph);
  write_apps(out, graph);
  write_store(out, graph.store->store().status());
  write_code(out, graph.loader->cache().figures());
  write_deliveries(out, graph);
  write_calls(out, graph);
  write_traces(out, graph);
  return std::move(out).finish();
}

}  // namespace carrel::server
