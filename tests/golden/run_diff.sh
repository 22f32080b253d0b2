#!/bin/sh
# warpc diff: every case is a schema, a change of it by sed, the exit status
# and a line that the answer must hold.   run_diff.sh WARPC
set -u
warpc=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
failed=0

cat >old.warp <<'W'
defenum Kind, type: u8 do NONE = 0, RED = 1 end
defstruct Point do
  x :: f32
  y :: f32
end
defproduct Entity do
  id :: u64
  gold :: i64, survives: :power_loss
  kind :: Kind
  pos :: Point
  shield :: u32, ttl: 2h
  name :: string<40>
  log :: [string<80>], persist: :temporal_tiering, retention: %{memory: 5m, disk: 14d, then: :delete}
  story :: string, persist: :disk_only
end
W

# expect STATUS LINE SED...: the schema changed by sed
expect() {
    status=$1 line=$2
    shift 2
    sed "$@" old.warp >new.warp
    "$warpc" diff old.warp new.warp >out 2>&1
    got=$?
    if [ $got != "$status" ] || ! grep -qxF "$line" out; then
        echo "FAIL  sed $*: exit $got, wanted $status and: $line"
        cat out
        failed=1
    fi
}

expect 0 "no difference" ""
expect 0 "  Entity.level: added" "/gold/a level :: u16, default: 1"
expect 1 "  Entity.story: removed" "/story/d"
expect 1 '    help: renamed? add `was: :gold` to coins' "s/gold/coins/"
expect 0 "  Entity.gold: is called coins now: the data is kept" \
    "s/gold :: i64/coins :: i64, was: :gold/"
expect 1 "  Entity.log: retention ends after 3d, was 14d: what is older goes" \
    "s/disk: 14d/disk: 3d/"
expect 0 "  Entity.log: retention ends after 20d, was 14d" "s/14d/20d/"
expect 1 "  Entity.shield: ttl 1h, was 2h: what is older goes" "s/2h/1h/"
expect 0 "  Entity.shield: ttl 3h, was 2h" "s/2h/3h/"
expect 1 "  Entity.gold: lives in memory_only and survives nothing, was durable in memory" \
    "s/survives: :power_loss/persist: :memory_only/"
expect 0 "  Entity.story: lives in ssd, was disk_only" "s/disk_only/ssd/"
expect 1 "  Entity.gold: type i32, was i64" "s/gold :: i64/gold :: i32/"
expect 0 "  Entity.shield: type u64, was u32" "s/shield :: u32/shield :: u64/"
expect 1 "  Entity.name: type string<20>, was string<40>" "s/<40>/<20>/"
expect 0 "  Entity.kind: Kind.BLUE is added" "s/RED = 1/RED = 1, BLUE = 2/"
expect 1 "  Entity.pos: Point.y is removed" "/^  y ::/d"
expect 1 '    help: renamed? add `was: :y` to height' "s/^  y ::/  height ::/"
expect 0 "  Entity.pos: Point.y is called height now: the data is kept" \
    "s/^  y :: f32/  height :: f32, was: :y/"
expect 1 "  Entity: the product is removed with all its records" "s/Entity/Being/"
expect 0 "  Entity.shield: its priority or hints to the engine changed" \
    "s/ttl: 2h/ttl: 2h, priority: :high/"

# against a descriptor, a store's folder and a git revision
mkdir -p store/schema new
"$warpc" gen --descriptor old.warp -o new || failed=1
cp new/old.wsd store/schema/1.wsd
sed "/story/d" old.warp >new.warp
"$warpc" gen --descriptor new.warp -o new || failed=1
cp new/new.wsd store/schema/10.wsd
"$warpc" diff new/old.wsd new.warp >out && failed=1
grep -q "story: removed" out || { echo "FAIL  a descriptor as the old side"; failed=1; }
"$warpc" diff store new.warp >out || { echo "FAIL  a store's newest descriptor"; failed=1; }
"$warpc" diff --against store old.warp >out || failed=1
grep -q "story: added" out || { echo "FAIL  --against a store"; failed=1; }
printf 'damaged' >store/schema/11.wsd
"$warpc" diff store new.warp >out 2>&1
[ $? = 1 ] && grep -q "W0803" out || { echo "FAIL  a damaged descriptor"; cat out; failed=1; }
"$warpc" diff nowhere.warp new.warp >out 2>&1
[ $? = 3 ] || { echo "FAIL  a missing file is exit 3"; failed=1; }
"$warpc" diff old.warp >out 2>&1
[ $? = 2 ] || { echo "FAIL  one schema is a usage error"; failed=1; }
if command -v git >/dev/null; then
    git init -q . && git add old.warp &&
        git -c user.name=t -c user.email=t@t commit -q -m one || failed=1
    cp old.warp before.warp
    sed -i "/story/d" old.warp
    "$warpc" diff --against git:HEAD old.warp >out 2>&1
    [ $? = 1 ] && grep -q "story: removed" out ||
        { echo "FAIL  against a git revision"; cat out; failed=1; }
    "$warpc" diff --against git:nowhere old.warp >out 2>&1
    [ $? = 3 ] || { echo "FAIL  a revision that is not there"; failed=1; }
fi
exit $failed
