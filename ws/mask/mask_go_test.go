//go:build !amd64 || purego

package mask

func assembly() []way { return nil }
