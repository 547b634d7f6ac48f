package runner

import (
	"slices"
	"testing"
)

func TestSpread(t *testing.T) {
	for _, test := range []struct {
		name   string
		values []float64
		want   spread
	}{
		{"of nothing", nil, spread{}},
		{"of one", []float64{3}, spread{3, 3, 3}},
		{"of two lies between", []float64{2, 1}, spread{1.5, 1.25, 1.75}},
		{"of five, in any order", []float64{5, 1, 4, 2, 3}, spread{3, 2, 4}},
		{"one that is far off does not count", []float64{1, 1, 1, 1, 100}, spread{1, 1, 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			values := slices.Clone(test.values)
			if got := spreadOf(values); got != test.want {
				t.Errorf("spreadOf(%v) = %v, want %v", test.values, got, test.want)
			}
			if !slices.Equal(values, test.values) {
				t.Error("the values were sorted in place")
			}
		})
	}
}

func TestRatiosArePairByPair(t *testing.T) {
	got := ratios([]float64{2, 9, 5}, []float64{1, 3})
	if want := []float64{2, 3}; !slices.Equal(got, want) {
		t.Errorf("ratios = %v, want %v", got, want)
	}
}
