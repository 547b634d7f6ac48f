package server

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// bugs names the tests that show, for each row of websocket-behaviour.md,
// section 6, that a bug of the modules is not here. A name with a path is that
// of another package's test.
var bugs = []struct{ bug, tests string }{
	{"both: a declared request body is taken for frames", "TestUpgradeWithABodyIsNotWaitedFor TestRefusals"},
	{"both: memory reserved for the announced length", "../ws/TestDecoderMemoryFollowsWhatArrived"},
	{"both: a client that stops reading holds a thread for ever", "TestClientThatDoesNotRead TestPingsOfAClientThatDoesNotRead"},
	{"both: plugin headers send CR LF, replace Upgrade or Accept", "TestWhatThePluginSaysInConnect"},
	{"both: ping, pong, close over 125 bytes go out", "TestWhatAPluginMaySend TestPluginCloses"},
	{"both: a send from connect on its own thread deadlocks", "TestWhatThePluginSaysInConnect"},
	{"fork: a queued send keeps a pointer to what the caller reuses", "TestPayloadIsLent"},
	{"original: a message of many fragments has no limit", "../ws/TestDecoderLimit"},
	{"original: threads write to the connection while it is read", "TestSendersFromManyGoroutines"},
	{"original, draft76: HEAD and HTTP/1.0 are upgraded", "TestRefusals TestUpgradeInHTTP10 TestBrokenRequestsAreNotDraft75"},
	{"draft76: bytes behind the frame that ends: endless loop", "TestDraft76Frames"},
	{"draft76: after FF 00 or EOF a second 101", "TestDraft76OwnExample TestDraft76Frames TestDraft76AtEOF"},
	{"draft76: a refusal after key 3 was read: no answer", "TestDraft76Refusals"},
	{"draft76: key number wraps, two Key1 lines are joined, key 3 in one read only", "TestDraft76Refusals TestDraft76Key3InPieces"},
	{"draft76: text without limit, no Origin check", "TestDraft76Frames TestDraft76Refusals"},
	{"draft76: FF 00 written to draft-75 clients", "TestDraft75 TestDraftsAtShutdown"},
	{"draft76: version 9, 13 without key, Key1 alone: draft-75; LoadModule order decides", "TestBrokenRequestsAreNotDraft75 TestWhichModuleAnswers"},
	{"draft76: absolute-form target doubled in Location", "TestDraftLocation"},
	{"draft76: ping, pong, close with payload, FF inside text: garbage frames", "TestDraft76Sends"},
	{"draft76: header_set keeps the plugin's pointer", "../pluginloader/TestForeignPluginSeesTheInterface"},
}

// TestEveryBugHasItsTest: the tests that bugs names are there.
func TestEveryBugHasItsTest(t *testing.T) {
	there := make(map[string]bool)
	for _, dir := range []string{"", "../ws/", "../pluginloader/"} {
		files, err := filepath.Glob(dir + "*_test.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok {
					there[dir+fn.Name.Name] = true
				}
			}
		}
	}
	for _, b := range bugs {
		for test := range strings.FieldsSeq(b.tests) {
			if !there[test] {
				t.Errorf("%s: there is no %s", b.bug, test)
			}
		}
	}
}
