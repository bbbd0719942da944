;; Pillow's 8-bit resampling, and the normalisation after it.
;;
;; Resampling (libImaging/Resample.c: fixed-point sums, clipped) for pictures of 3 or 4 channels.
;;
;; A coefficient k has 22 fractional bits and a sign, too many for i32x4.dot_i16x8_s. With k = high·2^12 + low, where
;; low is in [0, 2^12), a sum Σ k·p is (Σ high·p)·2^12 + Σ low·p: two exact dot products, each of pairs of pixels.
;; All arithmetic is modulo 2^32, as Pillow's; the true sum fits, so that it comes out exact.
;;
;; Taps of a pass: for each output, int32 offset (bytes) and int32 groups, then the coefficients of each group:
;;   horizontal, groups of 4: int16 high0 high1 high2 high3 low0 low1 low2 low3
;;   vertical, groups of 2:   int16 high0 high1 low0 low1
;; Groups are filled up with zeros, so that up to 3 taps and 16 bytes beyond the last are read, and not used.
(module
  (memory (export "memory") 1)

  ;; Sums of 4 channels: (high << 12) + low with the half already in low, over 2^22, cut to a byte each (in each half).
  (func $finish (param $high v128) (param $low v128) (result v128)
    (i32x4.shr_s
      (i32x4.add (i32x4.shl (local.get $high) (i32.const 12)) (local.get $low))
      (i32.const 22)))

  ;; Rows of RGB to rows of RGB, four at a time. Writes 1 byte beyond each row: the target's rows need that room.
  (func (export "horizontal3")
    (param $source i32) (param $target i32) (param $rows i32)
    (param $sourceStride i32) (param $targetStride i32) (param $columns i32) (param $taps i32)
    (local $tap i32) (local $at i32) (local $out i32) (local $groups i32) (local $column i32)
    (local $from1 i32) (local $from2 i32) (local $from3 i32) (local $to1 i32) (local $to2 i32) (local $to3 i32)
    (local $pixels v128) (local $odd v128)
    (local $highEven v128) (local $highOdd v128) (local $lowEven v128) (local $lowOdd v128)
    (local $high0 v128) (local $high1 v128) (local $high2 v128) (local $high3 v128)
    (local $low0 v128) (local $low1 v128) (local $low2 v128) (local $low3 v128)
    (if (i32.le_s (local.get $rows) (i32.const 0)) (then (return)))
    (loop $row
      ;; Rows that are not there are those that are, once more.
      (local.set $from1 (i32.mul (local.get $sourceStride) (i32.gt_s (local.get $rows) (i32.const 1))))
      (local.set $from2 (i32.shl (i32.mul (local.get $sourceStride) (i32.gt_s (local.get $rows) (i32.const 2))) (i32.const 1)))
      (local.set $from3 (i32.mul (i32.mul (local.get $sourceStride) (i32.const 3)) (i32.gt_s (local.get $rows) (i32.const 3))))
      (local.set $to1 (i32.mul (local.get $targetStride) (i32.gt_s (local.get $rows) (i32.const 1))))
      (local.set $to2 (i32.shl (i32.mul (local.get $targetStride) (i32.gt_s (local.get $rows) (i32.const 2))) (i32.const 1)))
      (local.set $to3 (i32.mul (i32.mul (local.get $targetStride) (i32.const 3)) (i32.gt_s (local.get $rows) (i32.const 3))))
      (local.set $tap (local.get $taps))
      (local.set $out (local.get $target))
      (local.set $column (local.get $columns))
      (loop $next
        (local.set $at (i32.add (local.get $source) (i32.load (local.get $tap))))
        (local.set $groups (i32.load offset=4 (local.get $tap)))
        (local.set $tap (i32.add (local.get $tap) (i32.const 8)))
        (local.set $high0 (v128.const i32x4 0 0 0 0))
        (local.set $high1 (v128.const i32x4 0 0 0 0))
        (local.set $high2 (v128.const i32x4 0 0 0 0))
        (local.set $high3 (v128.const i32x4 0 0 0 0))
        (local.set $low0 (v128.const i32x4 0x200000 0x200000 0x200000 0x200000))
        (local.set $low1 (local.get $low0))
        (local.set $low2 (local.get $low0))
        (local.set $low3 (local.get $low0))
        (loop $group
          (local.set $highEven (v128.load32_splat (local.get $tap)))
          (local.set $highOdd (v128.load32_splat offset=4 (local.get $tap)))
          (local.set $lowEven (v128.load32_splat offset=8 (local.get $tap)))
          (local.set $lowOdd (v128.load32_splat offset=12 (local.get $tap)))
          (local.set $pixels (v128.load (local.get $at)))
          (local.set $odd (i8x16.swizzle (local.get $pixels) (v128.const i8x16 6 -1 9 -1 7 -1 10 -1 8 -1 11 -1 -1 -1 -1 -1)))
          (local.set $pixels (i8x16.swizzle (local.get $pixels) (v128.const i8x16 0 -1 3 -1 1 -1 4 -1 2 -1 5 -1 -1 -1 -1 -1)))
          (local.set $high0 (i32x4.add (local.get $high0) (i32x4.dot_i16x8_s (local.get $pixels) (local.get $highEven))))
          (local.set $low0 (i32x4.add (local.get $low0) (i32x4.dot_i16x8_s (local.get $pixels) (local.get $lowEven))))
          (local.set $high0 (i32x4.add (local.get $high0) (i32x4.dot_i16x8_s (local.get $odd) (local.get $highOdd))))
          (local.set $low0 (i32x4.add (local.get $low0) (i32x4.dot_i16x8_s (local.get $odd) (local.get $lowOdd))))
          (local.set $pixels (v128.load (i32.add (local.get $at) (local.get $from1))))
          (local.set $odd (i8x16.swizzle (local.get $pixels) (v128.const i8x16 6 -1 9 -1 7 -1 10 -1 8 -1 11 -1 -1 -1 -1 -1)))
          (local.set $pixels (i8x16.swizzle (local.get $pixels) (v128.const i8x16 0 -1 3 -1 1 -1 4 -1 2 -1 5 -1 -1 -1 -1 -1)))
          (local.set $high1 (i32x4.add (local.get $high1) (i32x4.dot_i16x8_s (local.get $pixels) (local.get $highEven))))
          (local.set $low1 (i32x4.add (local.get $low1) (i32x4.dot_i16x8_s (local.get $pixels) (local.get $lowEven))))
          (local.set $high1 (i32x4.add (local.get $high1) (i32x4.dot_i16x8_s (local.get $odd) (local.get $highOdd))))
          (local.set $low1 (i32x4.add (local.get $low1) (i32x4.dot_i16x8_s (local.get $odd) (local.get $lowOdd))))
          (local.set $pixels (v128.load (i32.add (local.get $at) (local.get $from2))))
          (local.set $odd (i8x16.swizzle (local.get $pixels) (v128.const i8x16 6 -1 9 -1 7 -1 10 -1 8 -1 11 -1 -1 -1 -1 -1)))
          (local.set $pixels (i8x16.swizzle (local.get $pixels) (v128.const i8x16 0 -1 3 -1 1 -1 4 -1 2 -1 5 -1 -1 -1 -1 -1)))
          (local.set $high2 (i32x4.add (local.get $high2) (i32x4.dot_i16x8_s (local.get $pixels) (local.get $highEven))))
          (local.set $low2 (i32x4.add (local.get $low2) (i32x4.dot_i16x8_s (local.get $pixels) (local.get $lowEven))))
          (local.set $high2 (i32x4.add (local.get $high2) (i32x4.dot_i16x8_s (local.get $odd) (local.get $highOdd))))
          (local.set $low2 (i32x4.add (local.get $low2) (i32x4.dot_i16x8_s (local.get $odd) (local.get $lowOdd))))
          (local.set $pixels (v128.load (i32.add (local.get $at) (local.get $from3))))
          (local.set $odd (i8x16.swizzle (local.get $pixels) (v128.const i8x16 6 -1 9 -1 7 -1 10 -1 8 -1 11 -1 -1 -1 -1 -1)))
          (local.set $pixels (i8x16.swizzle (local.get $pixels) (v128.const i8x16 0 -1 3 -1 1 -1 4 -1 2 -1 5 -1 -1 -1 -1 -1)))
          (local.set $high3 (i32x4.add (local.get $high3) (i32x4.dot_i16x8_s (local.get $pixels) (local.get $highEven))))
          (local.set $low3 (i32x4.add (local.get $low3) (i32x4.dot_i16x8_s (local.get $pixels) (local.get $lowEven))))
          (local.set $high3 (i32x4.add (local.get $high3) (i32x4.dot_i16x8_s (local.get $odd) (local.get $highOdd))))
          (local.set $low3 (i32x4.add (local.get $low3) (i32x4.dot_i16x8_s (local.get $odd) (local.get $lowOdd))))
          (local.set $tap (i32.add (local.get $tap) (i32.const 16)))
          (local.set $at (i32.add (local.get $at) (i32.const 12)))
          (br_if $group (local.tee $groups (i32.sub (local.get $groups) (i32.const 1)))))
        (local.set $pixels
          (i8x16.narrow_i16x8_u
            (i16x8.narrow_i32x4_s
              (i32x4.shr_s (i32x4.add (i32x4.shl (local.get $high0) (i32.const 12)) (local.get $low0)) (i32.const 22))
              (i32x4.shr_s (i32x4.add (i32x4.shl (local.get $high1) (i32.const 12)) (local.get $low1)) (i32.const 22)))
            (i16x8.narrow_i32x4_s
              (i32x4.shr_s (i32x4.add (i32x4.shl (local.get $high2) (i32.const 12)) (local.get $low2)) (i32.const 22))
              (i32x4.shr_s (i32x4.add (i32x4.shl (local.get $high3) (i32.const 12)) (local.get $low3)) (i32.const 22)))))
        (v128.store32_lane 3 (i32.add (local.get $out) (local.get $to3)) (local.get $pixels))
        (v128.store32_lane 2 (i32.add (local.get $out) (local.get $to2)) (local.get $pixels))
        (v128.store32_lane 1 (i32.add (local.get $out) (local.get $to1)) (local.get $pixels))
        (v128.store32_lane 0 (local.get $out) (local.get $pixels))
        (local.set $out (i32.add (local.get $out) (i32.const 3)))
        (br_if $next (local.tee $column (i32.sub (local.get $column) (i32.const 1)))))
      (local.set $source (i32.add (local.get $source) (i32.shl (local.get $sourceStride) (i32.const 2))))
      (local.set $target (i32.add (local.get $target) (i32.shl (local.get $targetStride) (i32.const 2))))
      (br_if $row (i32.gt_s (local.tee $rows (i32.sub (local.get $rows) (i32.const 4))) (i32.const 0)))))

  ;; The same for 4 channels.
  (func (export "horizontal4")
    (param $source i32) (param $target i32) (param $rows i32)
    (param $sourceStride i32) (param $targetStride i32) (param $columns i32) (param $taps i32)
    (local $tap i32) (local $at i32) (local $out i32) (local $groups i32) (local $column i32)
    (local $from1 i32) (local $from2 i32) (local $from3 i32) (local $to1 i32) (local $to2 i32) (local $to3 i32)
    (local $pixels v128) (local $odd v128)
    (local $highEven v128) (local $highOdd v128) (local $lowEven v128) (local $lowOdd v128)
    (local $high0 v128) (local $high1 v128) (local $high2 v128) (local $high3 v128)
    (local $low0 v128) (local $low1 v128) (local $low2 v128) (local $low3 v128)
    (if (i32.le_s (local.get $rows) (i32.const 0)) (then (return)))
    (loop $row
      ;; Rows that are not there are those that are, once more.
      (local.set $from1 (i32.mul (local.get $sourceStride) (i32.gt_s (local.get $rows) (i32.const 1))))
      (local.set $from2 (i32.shl (i32.mul (local.get $sourceStride) (i32.gt_s (local.get $rows) (i32.const 2))) (i32.const 1)))
      (local.set $from3 (i32.mul (i32.mul (local.get $sourceStride) (i32.const 3)) (i32.gt_s (local.get $rows) (i32.const 3))))
      (local.set $to1 (i32.mul (local.get $targetStride) (i32.gt_s (local.get $rows) (i32.const 1))))
      (local.set $to2 (i32.shl (i32.mul (local.get $targetStride) (i32.gt_s (local.get $rows) (i32.const 2))) (i32.const 1)))
      (local.set $to3 (i32.mul (i32.mul (local.get $targetStride) (i32.const 3)) (i32.gt_s (local.get $rows) (i32.const 3))))
      (local.set $tap (local.get $taps))
      (local.set $out (local.get $target))
      (local.set $column (local.get $columns))
      (loop $next
        (local.set $at (i32.add (local.get $source) (i32.load (local.get $tap))))
        (local.set $groups (i32.load offset=4 (local.get $tap)))
        (local.set $tap (i32.add (local.get $tap) (i32.const 8)))
        (local.set $high0 (v128.const i32x4 0 0 0 0))
        (local.set $high1 (v128.const i32x4 0 0 0 0))
        (local.set $high2 (v128.const i32x4 0 0 0 0))
        (local.set $high3 (v128.const i32x4 0 0 0 0))
        (local.set $low0 (v128.const i32x4 0x200000 0x200000 0x200000 0x200000))
        (local.set $low1 (local.get $low0))
        (local.set $low2 (local.get $low0))
        (local.set $low3 (local.get $low0))
        (loop $group
          (local.set $highEven (v128.load32_splat (local.get $tap)))
          (local.set $highOdd (v128.load32_splat offset=4 (local.get $tap)))
          (local.set $lowEven (v128.load32_splat offset=8 (local.get $tap)))
          (local.set $lowOdd (v128.load32_splat offset=12 (local.get $tap)))
          (local.set $pixels (v128.load (local.get $at)))
          (local.set $odd (i8x16.swizzle (local.get $pixels) (v128.const i8x16 8 -1 12 -1 9 -1 13 -1 10 -1 14 -1 11 -1 15 -1)))
          (local.set $pixels (i8x16.swizzle (local.get $pixels) (v128.const i8x16 0 -1 4 -1 1 -1 5 -1 2 -1 6 -1 3 -1 7 -1)))
          (local.set $high0 (i32x4.add (local.get $high0) (i32x4.dot_i16x8_s (local.get $pixels) (local.get $highEven))))
          (local.set $low0 (i32x4.add (local.get $low0) (i32x4.dot_i16x8_s (local.get $pixels) (local.get $lowEven))))
          (local.set $high0 (i32x4.add (local.get $high0) (i32x4.dot_i16x8_s (local.get $odd) (local.get $highOdd))))
          (local.set $low0 (i32x4.add (local.get $low0) (i32x4.dot_i16x8_s (local.get $odd) (local.get $lowOdd))))
          (local.set $pixels (v128.load (i32.add (local.get $at) (local.get $from1))))
          (local.set $odd (i8x16.swizzle (local.get $pixels) (v128.const i8x16 8 -1 12 -1 9 -1 13 -1 10 -1 14 -1 11 -1 15 -1)))
          (local.set $pixels (i8x16.swizzle (local.get $pixels) (v128.const i8x16 0 -1 4 -1 1 -1 5 -1 2 -1 6 -1 3 -1 7 -1)))
          (local.set $high1 (i32x4.add (local.get $high1) (i32x4.dot_i16x8_s (local.get $pixels) (local.get $highEven))))
          (local.set $low1 (i32x4.add (local.get $low1) (i32x4.dot_i16x8_s (local.get $pixels) (local.get $lowEven))))
          (local.set $high1 (i32x4.add (local.get $high1) (i32x4.dot_i16x8_s (local.get $odd) (local.get $highOdd))))
          (local.set $low1 (i32x4.add (local.get $low1) (i32x4.dot_i16x8_s (local.get $odd) (local.get $lowOdd))))
          (local.set $pixels (v128.load (i32.add (local.get $at) (local.get $from2))))
          (local.set $odd (i8x16.swizzle (local.get $pixels) (v128.const i8x16 8 -1 12 -1 9 -1 13 -1 10 -1 14 -1 11 -1 15 -1)))
          (local.set $pixels (i8x16.swizzle (local.get $pixels) (v128.const i8x16 0 -1 4 -1 1 -1 5 -1 2 -1 6 -1 3 -1 7 -1)))
          (local.set $high2 (i32x4.add (local.get $high2) (i32x4.dot_i16x8_s (local.get $pixels) (local.get $highEven))))
          (local.set $low2 (i32x4.add (local.get $low2) (i32x4.dot_i16x8_s (local.get $pixels) (local.get $lowEven))))
          (local.set $high2 (i32x4.add (local.get $high2) (i32x4.dot_i16x8_s (local.get $odd) (local.get $highOdd))))
          (local.set $low2 (i32x4.add (local.get $low2) (i32x4.dot_i16x8_s (local.get $odd) (local.get $lowOdd))))
          (local.set $pixels (v128.load (i32.add (local.get $at) (local.get $from3))))
          (local.set $odd (i8x16.swizzle (local.get $pixels) (v128.const i8x16 8 -1 12 -1 9 -1 13 -1 10 -1 14 -1 11 -1 15 -1)))
          (local.set $pixels (i8x16.swizzle (local.get $pixels) (v128.const i8x16 0 -1 4 -1 1 -1 5 -1 2 -1 6 -1 3 -1 7 -1)))
          (local.set $high3 (i32x4.add (local.get $high3) (i32x4.dot_i16x8_s (local.get $pixels) (local.get $highEven))))
          (local.set $low3 (i32x4.add (local.get $low3) (i32x4.dot_i16x8_s (local.get $pixels) (local.get $lowEven))))
          (local.set $high3 (i32x4.add (local.get $high3) (i32x4.dot_i16x8_s (local.get $odd) (local.get $highOdd))))
          (local.set $low3 (i32x4.add (local.get $low3) (i32x4.dot_i16x8_s (local.get $odd) (local.get $lowOdd))))
          (local.set $tap (i32.add (local.get $tap) (i32.const 16)))
          (local.set $at (i32.add (local.get $at) (i32.const 16)))
          (br_if $group (local.tee $groups (i32.sub (local.get $groups) (i32.const 1)))))
        (local.set $pixels
          (i8x16.narrow_i16x8_u
            (i16x8.narrow_i32x4_s
              (i32x4.shr_s (i32x4.add (i32x4.shl (local.get $high0) (i32.const 12)) (local.get $low0)) (i32.const 22))
              (i32x4.shr_s (i32x4.add (i32x4.shl (local.get $high1) (i32.const 12)) (local.get $low1)) (i32.const 22)))
            (i16x8.narrow_i32x4_s
              (i32x4.shr_s (i32x4.add (i32x4.shl (local.get $high2) (i32.const 12)) (local.get $low2)) (i32.const 22))
              (i32x4.shr_s (i32x4.add (i32x4.shl (local.get $high3) (i32.const 12)) (local.get $low3)) (i32.const 22)))))
        (v128.store32_lane 3 (i32.add (local.get $out) (local.get $to3)) (local.get $pixels))
        (v128.store32_lane 2 (i32.add (local.get $out) (local.get $to2)) (local.get $pixels))
        (v128.store32_lane 1 (i32.add (local.get $out) (local.get $to1)) (local.get $pixels))
        (v128.store32_lane 0 (local.get $out) (local.get $pixels))
        (local.set $out (i32.add (local.get $out) (i32.const 4)))
        (br_if $next (local.tee $column (i32.sub (local.get $column) (i32.const 1)))))
      (local.set $source (i32.add (local.get $source) (i32.shl (local.get $sourceStride) (i32.const 2))))
      (local.set $target (i32.add (local.get $target) (i32.shl (local.get $targetStride) (i32.const 2))))
      (br_if $row (i32.gt_s (local.tee $rows (i32.sub (local.get $rows) (i32.const 4))) (i32.const 0)))))

  ;; Rows of bytes, whatever their channels; $stride from one row to the next in both. Writes up to 15 bytes beyond each row.
  (func (export "vertical")
    (param $source i32) (param $target i32) (param $rows i32) (param $stride i32) (param $taps i32)
    (local $tap i32) (local $first i32) (local $at i32) (local $groups i32) (local $left i32) (local $x i32)
    (local $above v128) (local $below v128) (local $pairs v128) (local $high v128) (local $low v128)
    (local $high0 v128) (local $high1 v128) (local $high2 v128) (local $high3 v128)
    (local $low0 v128) (local $low1 v128) (local $low2 v128) (local $low3 v128)
    (if (i32.eqz (local.get $rows)) (then (return)))
    (loop $row
      (local.set $first (i32.add (local.get $source) (i32.load (local.get $taps))))
      (local.set $groups (i32.load offset=4 (local.get $taps)))
      (local.set $taps (i32.add (local.get $taps) (i32.const 8)))
      (local.set $x (i32.const 0))
      (loop $block
        (local.set $at (i32.add (local.get $first) (local.get $x)))
        (local.set $tap (local.get $taps))
        (local.set $left (local.get $groups))
        (local.set $high0 (v128.const i32x4 0 0 0 0))
        (local.set $high1 (v128.const i32x4 0 0 0 0))
        (local.set $high2 (v128.const i32x4 0 0 0 0))
        (local.set $high3 (v128.const i32x4 0 0 0 0))
        (local.set $low0 (v128.const i32x4 0x200000 0x200000 0x200000 0x200000))
        (local.set $low1 (local.get $low0))
        (local.set $low2 (local.get $low0))
        (local.set $low3 (local.get $low0))
        (loop $group
          (local.set $above (v128.load (local.get $at)))
          (local.set $below (v128.load (i32.add (local.get $at) (local.get $stride))))
          (local.set $high (v128.load32_splat (local.get $tap)))
          (local.set $low (v128.load32_splat offset=4 (local.get $tap)))
          (local.set $pairs (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23
            (local.get $above) (local.get $below)))
          (local.set $below (i8x16.shuffle 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31
            (local.get $above) (local.get $below)))
          (local.set $above (i16x8.extend_low_i8x16_u (local.get $pairs)))
          (local.set $pairs (i16x8.extend_high_i8x16_u (local.get $pairs)))
          (local.set $high0 (i32x4.add (local.get $high0) (i32x4.dot_i16x8_s (local.get $above) (local.get $high))))
          (local.set $low0 (i32x4.add (local.get $low0) (i32x4.dot_i16x8_s (local.get $above) (local.get $low))))
          (local.set $high1 (i32x4.add (local.get $high1) (i32x4.dot_i16x8_s (local.get $pairs) (local.get $high))))
          (local.set $low1 (i32x4.add (local.get $low1) (i32x4.dot_i16x8_s (local.get $pairs) (local.get $low))))
          (local.set $above (i16x8.extend_low_i8x16_u (local.get $below)))
          (local.set $pairs (i16x8.extend_high_i8x16_u (local.get $below)))
          (local.set $high2 (i32x4.add (local.get $high2) (i32x4.dot_i16x8_s (local.get $above) (local.get $high))))
          (local.set $low2 (i32x4.add (local.get $low2) (i32x4.dot_i16x8_s (local.get $above) (local.get $low))))
          (local.set $high3 (i32x4.add (local.get $high3) (i32x4.dot_i16x8_s (local.get $pairs) (local.get $high))))
          (local.set $low3 (i32x4.add (local.get $low3) (i32x4.dot_i16x8_s (local.get $pairs) (local.get $low))))
          (local.set $at (i32.add (i32.add (local.get $at) (local.get $stride)) (local.get $stride)))
          (local.set $tap (i32.add (local.get $tap) (i32.const 8)))
          (br_if $group (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (v128.store (i32.add (local.get $target) (local.get $x))
          (i8x16.narrow_i16x8_u
            (i16x8.narrow_i32x4_s
              (call $finish (local.get $high0) (local.get $low0))
              (call $finish (local.get $high1) (local.get $low1)))
            (i16x8.narrow_i32x4_s
              (call $finish (local.get $high2) (local.get $low2))
              (call $finish (local.get $high3) (local.get $low3)))))
        (br_if $block (i32.lt_u
          (local.tee $x (i32.add (local.get $x) (i32.const 16)))
          (local.get $stride))))
      (local.set $taps (local.get $tap))
      (local.set $target (i32.add (local.get $target) (local.get $stride)))
      (br_if $row (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

  ;; 16 values as float32(float32(float32(x/255) - mean)/deviation).
  (func $write (param $bytes v128) (param $target i32) (param $mean v128) (param $deviation v128)
    (local $half v128)
    (local.set $half (i16x8.extend_low_i8x16_u (local.get $bytes)))
    (v128.store offset=0 (local.get $target)
      (f32x4.div
        (f32x4.sub
          (f32x4.div (f32x4.convert_i32x4_u (i32x4.extend_low_i16x8_u (local.get $half)))
            (v128.const f32x4 255 255 255 255))
          (local.get $mean))
        (local.get $deviation)))
    (v128.store offset=16 (local.get $target)
      (f32x4.div
        (f32x4.sub
          (f32x4.div (f32x4.convert_i32x4_u (i32x4.extend_high_i16x8_u (local.get $half)))
            (v128.const f32x4 255 255 255 255))
          (local.get $mean))
        (local.get $deviation)))
    (local.set $half (i16x8.extend_high_i8x16_u (local.get $bytes)))
    (v128.store offset=32 (local.get $target)
      (f32x4.div
        (f32x4.sub
          (f32x4.div (f32x4.convert_i32x4_u (i32x4.extend_low_i16x8_u (local.get $half)))
            (v128.const f32x4 255 255 255 255))
          (local.get $mean))
        (local.get $deviation)))
    (v128.store offset=48 (local.get $target)
      (f32x4.div
        (f32x4.sub
          (f32x4.div (f32x4.convert_i32x4_u (i32x4.extend_high_i16x8_u (local.get $half)))
            (v128.const f32x4 255 255 255 255))
          (local.get $mean))
        (local.get $deviation))))

  ;; RGB to three planes of float32, $plane bytes apart; 16 pixels a block. $settings: float32 mean and deviation of each.
  (func (export "normalize")
    (param $source i32) (param $target i32) (param $blocks i32) (param $plane i32) (param $settings i32)
    (local $a v128) (local $b v128) (local $c v128)
    (local $mean0 v128) (local $mean1 v128) (local $mean2 v128)
    (local $deviation0 v128) (local $deviation1 v128) (local $deviation2 v128)
    (local.set $mean0 (v128.load32_splat offset=0 (local.get $settings)))
    (local.set $deviation0 (v128.load32_splat offset=12 (local.get $settings)))
    (local.set $mean1 (v128.load32_splat offset=4 (local.get $settings)))
    (local.set $deviation1 (v128.load32_splat offset=16 (local.get $settings)))
    (local.set $mean2 (v128.load32_splat offset=8 (local.get $settings)))
    (local.set $deviation2 (v128.load32_splat offset=20 (local.get $settings)))
    (loop $block
      (local.set $a (v128.load (local.get $source)))
      (local.set $b (v128.load offset=16 (local.get $source)))
      (local.set $c (v128.load offset=32 (local.get $source)))
      (call $write
        (v128.or
          (v128.or
            (i8x16.swizzle (local.get $a) (v128.const i8x16 0 3 6 9 12 15 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1))
            (i8x16.swizzle (local.get $b) (v128.const i8x16 -1 -1 -1 -1 -1 -1 2 5 8 11 14 -1 -1 -1 -1 -1)))
          (i8x16.swizzle (local.get $c) (v128.const i8x16 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 1 4 7 10 13)))
        (local.get $target) (local.get $mean0) (local.get $deviation0))
      (call $write
        (v128.or
          (v128.or
            (i8x16.swizzle (local.get $a) (v128.const i8x16 1 4 7 10 13 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1))
            (i8x16.swizzle (local.get $b) (v128.const i8x16 -1 -1 -1 -1 -1 0 3 6 9 12 15 -1 -1 -1 -1 -1)))
          (i8x16.swizzle (local.get $c) (v128.const i8x16 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 2 5 8 11 14)))
        (i32.add (local.get $target) (local.get $plane)) (local.get $mean1) (local.get $deviation1))
      (call $write
        (v128.or
          (v128.or
            (i8x16.swizzle (local.get $a) (v128.const i8x16 2 5 8 11 14 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1))
            (i8x16.swizzle (local.get $b) (v128.const i8x16 -1 -1 -1 -1 -1 1 4 7 10 13 -1 -1 -1 -1 -1 -1)))
          (i8x16.swizzle (local.get $c) (v128.const i8x16 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 0 3 6 9 12 15)))
        (i32.add (i32.add (local.get $target) (local.get $plane)) (local.get $plane)) (local.get $mean2) (local.get $deviation2))
      (local.set $source (i32.add (local.get $source) (i32.const 48)))
      (local.set $target (i32.add (local.get $target) (i32.const 64)))
      (br_if $block (local.tee $blocks (i32.sub (local.get $blocks) (i32.const 1))))))
)
