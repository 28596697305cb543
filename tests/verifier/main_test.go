package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// write makes a good log of this size and returns its directory and the file with its key.
func write(t *testing.T, size int64) (string, string) {
	t.Helper()
	log := t.TempDir()
	secret, public, err := note.GenerateKey(rand.Reader, "tre.example/audit")
	if err != nil {
		t.Fatal(err)
	}
	var stored []tlog.Hash
	var entries [][]byte
	for i := int64(0); i < size; i++ {
		entry := []byte(fmt.Sprintf(`{"event":"query","number":%d}`, i))
		hashes, err := tlog.StoredHashes(i, entry, inMemory(&stored))
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, hashes...)
		entries = append(entries, entry)
	}
	for _, tile := range layout(size) {
		data, err := tlog.ReadTileData(tile, inMemory(&stored))
		if err != nil {
			t.Fatal(err)
		}
		save(t, log, tilePath(tile), data)
		if tile.L == 0 {
			var bundle []byte
			for _, entry := range entries[tile.N*256 : tile.N*256+int64(tile.W)] {
				bundle = append(bundle, byte(len(entry)>>8), byte(len(entry)))
				bundle = append(bundle, entry...)
			}
			save(t, log, bundlePath(tile), bundle)
		}
	}
	root, err := tlog.TreeHash(size, inMemory(&stored))
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("tre.example/audit\n%d\n%v\n", size, root)
	checkpoint, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		t.Fatal(err)
	}
	save(t, log, "checkpoint", checkpoint)
	save(t, log, "key", []byte(public+"\n"))
	return log, filepath.Join(log, "key")
}

func save(t *testing.T, log, path string, data []byte) {
	t.Helper()
	file := filepath.Join(log, path)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestGoodLogsAreAccepted(t *testing.T) {
	for _, size := range []int64{1, 2, 255, 256, 257, 700} {
		log, key := write(t, size)
		line, err := run(log, key, nil, 0, 0)
		if want := fmt.Sprintf("accepted: %d entries, %d inclusion proofs", size, size); err != nil || line != want {
			t.Errorf("%d entries: %q, %v", size, line, err)
		}
		if _, err := run(log, key, []string{fmt.Sprint(size - 1)}, 0, 0); err != nil {
			t.Errorf("last of %d entries: %v", size, err)
		}
		if _, err := run(log, key, []string{fmt.Sprint(size)}, 0, 0); err == nil {
			t.Errorf("entry %d of %d was found", size, size)
		}
	}
}

func TestAlterationsAreRejected(t *testing.T) {
	for _, size := range []int64{1, 300, 600} {
		log, key := write(t, size)
		line, err := run(log, key, nil, 200, size)
		if err != nil || !strings.HasPrefix(line, "rejected all of") {
			t.Errorf("%d entries: %q, %v", size, line, err)
		}
	}
}

// Every single bit of a checkpoint matters, also those that base64 leaves unused.
func TestEveryBitOfACheckpointCounts(t *testing.T) {
	log, key := write(t, 3)
	path := filepath.Join(log, "checkpoint")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := range good {
		for bit := 0; bit < 8; bit++ {
			bad := append([]byte{}, good...)
			bad[at] ^= 1 << bit
			save(t, log, "checkpoint", bad)
			if _, err := run(log, key, nil, 0, 0); err == nil {
				t.Errorf("bit %d of byte %d changed, and the checkpoint was accepted", bit, at)
			}
		}
	}
}

// What the verifier does not read may change; so the alterations touch only what it reads, and an accepted one is an error.
func TestUnreadFilesDoNotCount(t *testing.T) {
	log, key := write(t, 300)
	save(t, log, "tile/entries/009", []byte("unread"))
	if _, err := run(log, key, nil, 0, 0); err != nil {
		t.Error(err)
	}
}

// The control: an altered log that passes every other check is caught by the comparison of the tiles alone, since the
// proofs of these entries do not read the altered hash.
func TestTilesThatNoProofReadsAreCompared(t *testing.T) {
	log, key := write(t, 300)
	path := tilePath(tlog.Tile{H: height, L: 1, N: 0, W: 1})
	data, err := directory(log)(path)
	if err != nil {
		t.Fatal(err)
	}
	data[0] ^= 1
	save(t, log, path, data)
	_, err = run(log, key, []string{"0"}, 0, 0)
	if err == nil || !strings.Contains(err.Error(), "does not hold the hashes") {
		t.Errorf("tile/1 altered: %v", err)
	}
}

func TestAnotherKeyIsRejected(t *testing.T) {
	log, _ := write(t, 5)
	_, other := write(t, 5)
	if _, err := run(log, other, nil, 0, 0); err == nil {
		t.Error("a checkpoint was accepted with a key that did not sign it")
	}
}

// A log that grew after its checkpoint may have full tiles where the checkpoint knows partial ones.
func TestFullTilesStandInForPartialOnes(t *testing.T) {
	log, _ := write(t, 256)
	files := directory(log)
	tree := tlog.Tree{N: 200}
	var stored []tlog.Hash
	entries, err := readEntries(files, 256)
	if err != nil {
		t.Fatal(err)
	}
	for i, entry := range entries[:200] {
		hashes, _ := tlog.StoredHashes(int64(i), entry, inMemory(&stored))
		stored = append(stored, hashes...)
	}
	tree.Hash, _ = tlog.TreeHash(200, inMemory(&stored))
	if found, err := readEntries(files, 200); err != nil || len(found) != 200 {
		t.Errorf("%d entries, %v", len(found), err)
	}
	if err := checkTiles(files, tree, stored); err != nil {
		t.Error(err)
	}
	if err := checkProofs(files, tree, entries, nil); err != nil {
		t.Error(err)
	}
}
