#!/bin/sh
# Sweep two trained networks over batch, workers, precision and runtime, and picture the report:
#   sh scripts/curves.sh [FOLDER]
# It takes about a quarter of an hour, and continues where it was ended. What else runs on the box
# shows in the curves.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-curves}
python="$root/.venv/bin/python"

"$python" "$root/benchmarks/pp_ocr.py" "$folder/pp-ocr"
"$root/.venv/bin/autotune" characterize \
    "$folder/pp-ocr/detector.onnx" "$folder/pp-ocr/recogniser.onnx" \
    --data "$folder/pp-ocr/detector.npz" --data "$folder/pp-ocr/recogniser.npz" \
    --sweep batch_size=1..16 --sweep workers=1,2 \
    --sweep precision=fp32,int8 --sweep provider=onnxruntime-cpu,openvino-cpu \
    --out "$folder/report"

if browser=$(command -v chromium); then
    page=$(cd "$folder/report" && pwd)/report.html
    "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor=2 \
        --window-size=1100,1500 --screenshot="$folder/report.png" "file://$page" 2> /dev/null
    echo "Picture: $folder/report.png"
fi
