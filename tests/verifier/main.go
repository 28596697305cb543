// log-verifier checks an audit log with other people's code: Go's own note and tlog packages, as Debian ships them.
//
//	log-verifier LOG VKEY [INDEX…]                    verify the log; inclusion proofs of these entries, else of all
//	log-verifier -alterations N [-seed S] LOG VKEY    alter the log in N random ways; each must be rejected
//
// LOG is a directory in the C2SP tlog-tiles layout: checkpoint, tile/<level>/<n>[.p/<width>], tile/entries/<n>[.p/<width>].
// VKEY is a file with a note verifier key. The program prints one line and exits with 0 (accepted), 1 (rejected) or 2 (usage).
//
// What is verified: the checkpoint's signature; that the entries of the bundles hash to its root; that every hash tile
// holds what the entries hash to, byte for byte; and inclusion proofs that are computed from the tiles alone.
package main

import (
	"bytes"
	"encoding/base64"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// height of tiles, fixed by C2SP tlog-tiles: 256 hashes or entries each.
const height = 8

func main() {
	alterations := flag.Int("alterations", 0, "alter the log so many times")
	seed := flag.Int64("seed", 1, "seed of the alterations")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: log-verifier [-alterations N [-seed S]] LOG VKEY [INDEX…]")
	}
	flag.Parse()
	if flag.NArg() < 2 || (*alterations > 0 && flag.NArg() > 2) {
		flag.Usage()
		os.Exit(2)
	}
	line, err := run(flag.Arg(0), flag.Arg(1), flag.Args()[2:], *alterations, *seed)
	if err != nil {
		fmt.Println("rejected:", err)
		os.Exit(1)
	}
	fmt.Println(line)
}

func run(log, vkey string, indices []string, alterations int, seed int64) (string, error) {
	key, err := os.ReadFile(vkey)
	if err != nil {
		return "", err
	}
	files := directory(log)
	size, err := verify(files, strings.TrimSpace(string(key)), indices)
	if err != nil {
		return "", err
	}
	if alterations > 0 {
		return alter(log, strings.TrimSpace(string(key)), size, alterations, seed)
	}
	proofs := int64(len(indices))
	if proofs == 0 {
		proofs = size
	}
	return fmt.Sprintf("accepted: %d entries, %d inclusion proofs", size, proofs), nil
}

// reader gives the bytes of a file of the log by its path.
type reader func(path string) ([]byte, error)

// directory reads files of a log in the file system.
func directory(log string) reader {
	return func(path string) ([]byte, error) {
		return os.ReadFile(filepath.Join(log, filepath.FromSlash(path)))
	}
}

// verify checks everything and returns the number of entries.
func verify(files reader, key string, indices []string) (int64, error) {
	tree, err := openCheckpoint(files, key)
	if err != nil {
		return 0, err
	}
	entries, err := readEntries(files, tree.N)
	if err != nil {
		return 0, err
	}
	stored, err := checkRoot(tree, entries)
	if err != nil {
		return 0, err
	}
	if err := checkTiles(files, tree, stored); err != nil {
		return 0, err
	}
	return tree.N, checkProofs(files, tree, entries, indices)
}

// openCheckpoint checks the signature. A signature that this key did not make, or one that is written in another way than
// the only canonical one, is no part of a good checkpoint: it could be altered without anybody noticing.
func openCheckpoint(files reader, key string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("verifier key: %v", err)
	}
	text, err := files("checkpoint")
	if err != nil {
		return tlog.Tree{}, err
	}
	signed, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("checkpoint: %v", err)
	}
	if len(signed.Sigs) != 1 || len(signed.UnverifiedSigs) != 0 {
		return tlog.Tree{}, fmt.Errorf("checkpoint: not exactly one signature, by this key")
	}
	if _, err := base64.StdEncoding.Strict().DecodeString(signed.Sigs[0].Base64); err != nil {
		return tlog.Tree{}, fmt.Errorf("checkpoint: signature: %v", err)
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("checkpoint: not of the log `%s`", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return tlog.Tree{}, fmt.Errorf("checkpoint: size `%s`", lines[1])
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("checkpoint: %v", err)
	}
	return tlog.Tree{N: size, Hash: root}, nil
}

// readEntries reads the entries of a log of this size from its bundles.
func readEntries(files reader, size int64) ([][]byte, error) {
	entries := make([][]byte, 0, size)
	for _, tile := range layout(size) {
		if tile.L != 0 {
			continue
		}
		path := bundlePath(tile)
		data, full, err := readTile(files, tile, bundlePath)
		if err != nil {
			return nil, err
		}
		for i := 0; i < tile.W; i++ {
			if len(data) < 2 || len(data) < 2+int(data[0])<<8+int(data[1]) {
				return nil, fmt.Errorf("%s ends within entry %d", path, len(entries))
			}
			end := 2 + int(data[0])<<8 + int(data[1])
			entries = append(entries, data[2:end])
			data = data[end:]
		}
		if len(data) > 0 && !full {
			return nil, fmt.Errorf("%s has %d bytes too many", path, len(data))
		}
	}
	return entries, nil
}

// checkRoot hashes the entries and returns all stored hashes of the tree.
func checkRoot(tree tlog.Tree, entries [][]byte) ([]tlog.Hash, error) {
	var stored []tlog.Hash
	for i, entry := range entries {
		hashes, err := tlog.StoredHashes(int64(i), entry, inMemory(&stored))
		if err != nil {
			return nil, err
		}
		stored = append(stored, hashes...)
	}
	root, err := tlog.TreeHash(tree.N, inMemory(&stored))
	if err != nil {
		return nil, err
	}
	if root != tree.Hash {
		return nil, fmt.Errorf("the entries hash to %v, the checkpoint says %v", root, tree.Hash)
	}
	return stored, nil
}

// checkTiles compares every hash tile with the hashes of the entries. A proof reads few tiles; an altered one that no
// proof happens to read would go unnoticed otherwise.
func checkTiles(files reader, tree tlog.Tree, stored []tlog.Hash) error {
	for _, tile := range layout(tree.N) {
		want, err := tlog.ReadTileData(tile, inMemory(&stored))
		if err != nil {
			return err
		}
		data, full, err := readTile(files, tile, tilePath)
		if err != nil {
			return err
		}
		if full && len(data) > len(want) {
			data = data[:len(want)]
		}
		if !bytes.Equal(data, want) {
			return fmt.Errorf("%s does not hold the hashes of the entries", tilePath(tile))
		}
	}
	return nil
}

// checkProofs computes inclusion proofs from the tiles alone and checks them against the checkpoint.
func checkProofs(files reader, tree tlog.Tree, entries [][]byte, indices []string) error {
	if tree.N == 0 {
		return nil
	}
	hashes := tlog.TileHashReader(tree, &tiles{files: files, read: map[tlog.Tile][]byte{}})
	prove := func(i int64) error {
		proof, err := tlog.ProveRecord(tree.N, i, hashes)
		if err != nil {
			return fmt.Errorf("entry %d: %v", i, err)
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, i, tlog.RecordHash(entries[i])); err != nil {
			return fmt.Errorf("entry %d: %v", i, err)
		}
		return nil
	}
	if len(indices) == 0 {
		for i := int64(0); i < tree.N; i++ {
			if err := prove(i); err != nil {
				return err
			}
		}
	}
	for _, text := range indices {
		i, err := strconv.ParseInt(text, 10, 64)
		if err != nil || i < 0 || i >= tree.N {
			return fmt.Errorf("there is no entry `%s` among %d", text, tree.N)
		}
		if err := prove(i); err != nil {
			return err
		}
	}
	return nil
}

// inMemory reads stored hashes from a slice.
func inMemory(stored *[]tlog.Hash) tlog.HashReader {
	return tlog.HashReaderFunc(func(indices []int64) ([]tlog.Hash, error) {
		var hashes []tlog.Hash
		for _, index := range indices {
			if index >= int64(len(*stored)) {
				return nil, fmt.Errorf("hash %d is not there yet", index)
			}
			hashes = append(hashes, (*stored)[index])
		}
		return hashes, nil
	})
}

// tiles gives TileHashReader the tiles of a log; it checks them against the root itself.
type tiles struct {
	files reader
	read  map[tlog.Tile][]byte
}

func (t *tiles) Height() int { return height }

func (t *tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		data, known := t.read[tile]
		if !known {
			found, full, err := readTile(t.files, tile, tilePath)
			if err != nil {
				return nil, err
			}
			if want := tile.W * tlog.HashSize; full && len(found) > want {
				found = found[:want]
			}
			data = found
			t.read[tile] = data
		}
		all = append(all, data)
	}
	return all, nil
}

func (t *tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// layout lists the tiles that a log of this size consists of: the full ones and, at the end of a level, a partial one.
// (Go's tlog.NewTiles also lists every narrower tile that was ever needed.)
func layout(size int64) []tlog.Tile {
	var all []tlog.Tile
	for level, hashes := 0, size; hashes > 0; level, hashes = level+1, hashes>>height {
		for n := int64(0); n<<height < hashes; n++ {
			width := hashes - n<<height
			if width > 1<<height {
				width = 1 << height
			}
			all = append(all, tlog.Tile{H: height, L: level, N: n, W: int(width)})
		}
	}
	return all
}

// tilePath is the path of a hash tile in C2SP's layout, which leaves out the height that Go's own layout has.
func tilePath(tile tlog.Tile) string {
	return strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
}

// bundlePath is the path of the bundle with the entries of a tile of level 0.
func bundlePath(tile tlog.Tile) string {
	return strings.Replace(tilePath(tile), "tile/0/", "tile/entries/", 1)
}

// readTile reads a tile or bundle. Where a partial one is gone because the log has grown since, the full one stands in
// for it, and only its beginning counts; the second result says so.
func readTile(files reader, tile tlog.Tile, path func(tlog.Tile) string) ([]byte, bool, error) {
	data, err := files(path(tile))
	if os.IsNotExist(err) && tile.W < 1<<height {
		whole := tile
		whole.W = 1 << height
		if data, err := files(path(whole)); err == nil {
			return data, true, nil
		}
	}
	return data, false, err
}

// alter changes a copy of the log in so many random ways and verifies each time. All must be rejected.
func alter(log, key string, size int64, times int, seed int64) (string, error) {
	original := map[string][]byte{}
	remember := func(path string) ([]byte, error) {
		data, err := directory(log)(path)
		if err == nil {
			original[path] = data
		}
		return data, err
	}
	if _, err := verify(remember, key, nil); err != nil {
		return "", err
	}
	paths := []string{"checkpoint"}
	for _, tile := range layout(size) {
		paths = append(paths, tilePath(tile))
		if tile.L == 0 {
			paths = append(paths, bundlePath(tile))
		}
	}
	for _, path := range paths {
		if len(original[path]) == 0 {
			return "", fmt.Errorf("%s: alterations need a log that has not grown since its checkpoint", path)
		}
	}
	random := rand.New(rand.NewSource(seed))
	for i := 0; i < times; i++ {
		path, changed, what := change(random, paths, original)
		altered := func(wanted string) ([]byte, error) {
			if wanted == path {
				if changed == nil {
					return nil, os.ErrNotExist
				}
				return changed, nil
			}
			if data, known := original[wanted]; known {
				return data, nil
			}
			return nil, os.ErrNotExist
		}
		if _, err := verify(altered, key, nil); err == nil {
			return "", fmt.Errorf("alteration %d was accepted: %s, %s", i, path, what)
		}
	}
	return fmt.Sprintf("rejected all of %d alterations of %d files", times, len(paths)), nil
}

// change picks a file (the checkpoint one time in ten) and alters it: nine times in ten one byte, else its length or
// its being there at all.
func change(random *rand.Rand, paths []string, original map[string][]byte) (string, []byte, string) {
	path := paths[0]
	if len(paths) > 1 && random.Intn(10) > 0 {
		path = paths[1+random.Intn(len(paths)-1)]
	}
	data := append([]byte{}, original[path]...)
	at := random.Intn(len(data))
	switch random.Intn(40) {
	case 0:
		return path, nil, "removed"
	case 1:
		return path, data[:at], fmt.Sprintf("cut to %d of %d bytes", at, len(data))
	case 2:
		return path, append(data, byte(random.Intn(256))), "one byte longer"
	case 3:
		return path, append(data[:at], data[at+1:]...), fmt.Sprintf("without byte %d", at)
	}
	data[at] ^= byte(1 + random.Intn(255))
	return path, data, fmt.Sprintf("byte %d of %d changed", at, len(data))
}
