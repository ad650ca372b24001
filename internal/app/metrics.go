package app

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"paylink/internal/desk/clock"
)

// metrics is what the service counts, on an address of its own. Labels hold route patterns, never paths.
type metrics struct {
	registry *prometheus.Registry
	took     *prometheus.HistogramVec
	differs  prometheus.Gauge
	compared prometheus.Gauge
	alarms   *prometheus.CounterVec
	streams  *prometheus.GaugeVec
	ended    *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	m.took = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "paylink_request_seconds", Help: "Time to answer a request, by route pattern, method and status.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
	}, []string{"route", "method", "status"})
	m.differs = prometheus.NewGauge(prometheus.GaugeOpts{Name: "paylink_reconciliation_differences", Help: "Differences between the books and Stripe on the newest day that was reconciled."})
	m.compared = prometheus.NewGauge(prometheus.GaugeOpts{Name: "paylink_reconciliation_timestamp_seconds", Help: "When the newest day that was reconciled was; 0 if none was, or not for a week."})
	m.alarms = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "paylink_alarms_total", Help: "What a person had to look at, by the alarm's name in docs/operations.md."}, []string{"alarm"})
	m.streams = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "paylink_streams_open", Help: "Streams of server-sent events that are open, by route pattern."}, []string{"route"})
	m.ended = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "paylink_streams_ended_total", Help: "Streams that have ended, by route pattern and why: done, gone, slow, stopping or failed."}, []string{"route", "why"})
	m.registry.MustRegister(m.took, m.differs, m.compared, m.alarms, m.streams, m.ended, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) seen(method, route string, status int, took time.Duration) {
	m.took.WithLabelValues(route, method, strconv.Itoa(status)).Observe(took.Seconds())
}

func (m *metrics) streamed(route, ended string) {
	if ended == "" {
		m.streams.WithLabelValues(route).Inc()
		return
	}
	m.streams.WithLabelValues(route).Dec()
	m.ended.WithLabelValues(route, ended).Inc()
}

func (m *metrics) reconciled(k clock.Kept) {
	m.differs.Set(float64(k.Differences))
	m.compared.Set(float64(k.EndedAt.UnixMilli()) / 1000)
}

func (m *metrics) handler() http.Handler {
	r := http.NewServeMux()
	r.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return r
}
