"""Boxes, outlines and masks in published forms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tests.datasets.forms.form import (
    BOX,
    XYWH,
    Form,
    H,
    Seen,
    W,
    boxed,
    mask,
    picture,
    pictures,
    put,
    put_json,
    put_lines,
)

COCO: dict[str, Any] = {
    "images": [{"id": n, "file_name": f"{n}.png", "width": W, "height": H} for n in range(2)],
    "categories": [{"id": 1, "name": "mass"}],
}
CORNERS = [[64, 48], [320, 48], [320, 240], [64, 240]]


def nih(root: Path) -> None:
    pictures(root / "images", "00000001_000")
    x, y, w, h = XYWH
    put(
        root / "BBox_List_2017.csv",
        f"Image Index,Finding Label,Bbox [x,y,w,h],,,\n00000001_000.png,Mass,{x},{y},{w},{h}\n",
    )


def rsna(root: Path) -> None:
    picture(root / "stage_2_train_images/0.png")
    picture(root / "stage_2_train_images/1.png", 1)
    x, y, w, h = XYWH
    rows = f"patientId,x,y,width,height,Target\n0,{x}.0,{y}.0,{w}.0,{h}.0,1\n1,,,,,0\n"
    put(root / "stage_2_train_labels.csv", rows)


VINDR = (
    "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max\n0,mass,9,R1,64,48,320,240\n"
    "1,No finding,14,R1,,,,\n2,mass,9,R1,64,48,320,240\n2,mass,9,R2,66,50,322,238\n"
)


def vindr(root: Path) -> None:
    pictures(root / "train", "0", "1", "2")
    put(root / "train.csv", VINDR)


def ms_cxr(root: Path) -> None:
    picture(root / "files/p10/p10000001/s50000001/a-b.jpg")
    x, y, w, h = XYWH
    put(
        root / "MS_CXR_Local_Alignment_v1.1.0.csv",
        "category_name,label_text,path,x,y,w,h,image_width,image_height,dicom_id,split\n"
        f"Pneumonia,mass,files/p10/p10000001/s50000001/a-b.jpg,{x},{y},{w},{h},{W},{H},a-b,train\n",
    )


def deep_lesion(root: Path) -> None:
    pictures(root / "Key_slices", "000001_01_01_109")
    put(
        root / "DL_info.csv",
        "File_name,Patient_index,Key_slice_index,Bounding_boxes,Coarse_lesion_type,Train_Val_Test\n"
        '000001_01_01_109.png,1,109,"64.0, 48.0, 320.0, 240.0",3,1\n',
    )


def padchest_gr(root: Path) -> None:
    pictures(root / "PadChest_GR", "0")
    row = {
        "StudyID": "s1", "ImageID": "0.png",
        "findings": [
            {
                "sentence_en": "mass", "sentence_es": "masa", "abnormal": True, "labels": ["mass"],
                "boxes": [[0.1, 0.1, 0.5, 0.5]], "extra_boxes": [], "locations": [],
            },
            {"sentence_en": "Normal heart.", "sentence_es": "Corazon normal.", "abnormal": False},
        ],
    }  # fmt: skip
    put_json(root / "grounded_reports_20240819.json", [row])


def chexlocalize(root: Path) -> None:
    picture(root / "CheXpert/val/patient1/study1/view1_frontal.jpg")
    put_json(
        root / "CheXlocalize/gt_annotations_val.json",
        {"patient1_study1_view1_frontal": {"img_size": [H, W], "Edema": [CORNERS]}},
    )


def chexlocalize_rle(root: Path) -> None:
    from pycocotools import mask as codes

    picture(root / "CheXpert/val/patient1/study1/view1_frontal.jpg")

    def coded(of: np.ndarray[Any, Any]) -> dict[str, Any]:
        found = codes.encode(np.asfortranarray(of))
        return {"size": [H, W], "counts": found["counts"].decode()}

    put_json(
        root / "CheXlocalize/gt_segmentations_val.json",
        {
            "patient1_study1_view1_frontal": {
                "Edema": coded(mask()),
                "Atelectasis": coded(np.zeros((H, W), np.uint8)),
            }
        },
    )


def siim(root: Path) -> None:
    pictures(root / "images", "1.2.3")
    # runs down the columns, each as its distance from the end of the one before and its length
    flat = np.flatnonzero(mask().T.ravel())
    starts = flat[np.r_[True, np.diff(flat) > 1]]
    lengths = np.full(len(starts), BOX[3] - BOX[1])
    gaps = np.r_[starts[0], starts[1:] - (starts[:-1] + lengths[:-1])]
    code = " ".join(f"{gap} {length}" for gap, length in zip(gaps, lengths, strict=True))
    put(root / "train-rle.csv", f"ImageId, EncodedPixels\n1.2.3, {code}\n")


def coco(root: Path, *annotations: dict[str, Any], **more: Any) -> None:
    pictures(root / "train", "0", "1")
    put_json(root / "annotations/train.json", {**COCO, **more, "annotations": list(annotations)})


def coco_boxes(root: Path) -> None:
    coco(root, {"id": 1, "image_id": 0, "category_id": 1, "bbox": XYWH, "area": 1, "iscrowd": 0})


def coco_polygons(root: Path) -> None:
    outline = [float(number) for corner in CORNERS for number in corner]
    coco(root, {"id": 1, "image_id": 0, "category_id": 1, "segmentation": [outline], "iscrowd": 0})


def coco_rle(root: Path) -> None:
    down = mask().T.ravel()
    edges = np.flatnonzero(np.diff(np.r_[0, down, 0]))
    counts = np.diff(np.r_[0, edges, len(down)]).tolist()
    code = {"size": [H, W], "counts": counts}
    coco(root, {"id": 1, "image_id": 0, "category_id": 1, "segmentation": code, "iscrowd": 1})


def coco_without_category(root: Path) -> None:
    coco(
        root,
        {"id": 1, "image_id": 0, "category_id": 1, "bbox": XYWH},
        {"id": 2, "image_id": 1, "bbox": XYWH},
    )


def coco_nested(root: Path) -> None:
    pictures(root / "images", "0", "1")
    images = [
        image | {"metadata": {"patient": f"p{image['id']}", "split": ("train", "test")[image["id"]]}}
        for image in COCO["images"]
    ]
    entries = [{"id": n, "image_id": n, "category_id": 1, "bbox": XYWH} for n in range(2)]
    put_json(root / "all.json", {**COCO, "images": images, "annotations": entries})


def yolo(root: Path, line: str = "0 0.3 0.3 0.4 0.4") -> None:
    pictures(root / "images/train", "0", "1")
    put(root / "labels/train/0.txt", f"{line}\n")
    put(root / "labels/train/1.txt", "")
    pictures(root / "images/val", "2")
    put(root / "data.yaml", "path: .\ntrain: images/train\nval: images/val\nnames:\n  0: mass\n")


def yolo_polygons(root: Path) -> None:
    yolo(root, "0 " + " ".join(f"{x / W} {y / H}" for x, y in CORNERS))


def voc(root: Path) -> None:
    pictures(root / "JPEGImages", "0", ending=".jpg")
    put(root / "ImageSets/Main/train.txt", "0\n")
    # VOC counts pixels from 1, the last one inside
    put(
        root / "Annotations/0.xml",
        "<annotation><folder>VOC2012</folder><filename>0.jpg</filename>"
        f"<size><width>{W}</width><height>{H}</height><depth>1</depth></size>"
        "<object><name>mass</name><difficult>0</difficult>"
        "<bndbox><xmin>65</xmin><ymin>49</ymin><xmax>320</xmax><ymax>240</ymax></bndbox></object></annotation>",
    )


def labelme(root: Path) -> None:
    pictures(root / "train", "0")
    shapes = [
        {"label": "mass", "shape_type": "rectangle", "points": [[64, 48], [320, 240]], "flags": {}},
        {"label": "rib", "shape_type": "polygon", "points": [[10, 10], [100, 10], [100, 80]], "flags": {}},
    ]
    put_json(
        root / "train/0.json",
        {
            "version": "5.4.1", "flags": {}, "shapes": shapes, "imagePath": "0.png", "imageData": None,
            "imageWidth": W, "imageHeight": H,
        },
    )  # fmt: skip


def hub_objects(root: Path) -> None:
    pictures(root / "train", "0", "1")
    rows = [
        {"file_name": "0.png", "objects": {"bbox": [XYWH], "category": ["mass"]}},
        {"file_name": "1.png", "objects": {"bbox": [], "category": []}},
    ]
    put_lines(root / "train/metadata.jsonl", rows)


def thousandths(root: Path) -> None:
    pictures(root / "images", "0")
    row = {"image": "images/0.png", "label": "mass", "bbox_2d": [100, 100, 500, 500]}
    put_lines(root / "train.jsonl", [row])


def masks_png(root: Path) -> None:
    pictures(root / "images", "0", "1")
    (root / "masks").mkdir(parents=True)
    Image.fromarray(mask()).save(root / "masks/0.png")
    Image.fromarray(np.zeros((H, W), np.uint8)).save(root / "masks/1.png")


def masks_nifti(root: Path) -> None:
    import nibabel

    volume = np.zeros((16, 12, 3), np.int16)
    volume += np.arange(16, dtype=np.int16)[:, None, None]
    # the axes go to the left and to the back, as a picture's do: columns 2 to 8 and rows 3 to 9
    labels = np.zeros((16, 12, 3), np.uint8)
    labels[2:8, 3:9, 1] = 1
    for folder, array in (("imagesTr", volume), ("labelsTr", labels)):
        (root / folder).mkdir(parents=True)
        ending = "_0000.nii.gz" if folder == "imagesTr" else ".nii.gz"
        nibabel.save(nibabel.Nifti1Image(array, np.diag([-1, -1, 1, 1])), root / folder / f"case_001{ending}")
    put(root / "dataset.json", json.dumps({"labels": {"background": 0, "mass": 1}, "file_ending": ".nii.gz"}))


MASS = (boxed(),)
FORMS = {
    "NIH ChestX-ray14": Form(nih, (boxed("00000001_000.png", "Mass"),)),
    "RSNA Pneumonia": Form(rsna, (boxed("0.png", "lung opacity"),), left_out=1),
    "RSNA Pneumonia, the healthy too": Form(
        rsna, (boxed("0.png", "lung opacity"), Seen(("1.png",), "lung opacity"))
    ),
    "VinDr-CXR, each reader": Form(
        vindr, (boxed("0.png"), boxed("2.png"), boxed("2.png", "mass", (66, 50, 322, 238))), left_out=1
    ),
    "MS-CXR": Form(ms_cxr, (boxed("a-b.jpg"),)),
    "DeepLesion": Form(deep_lesion, (boxed("000001_01_01_109.png", "lesion"),)),
    "PadChest-GR": Form(padchest_gr, MASS, left_out=1),
    "CheXlocalize, outlines": Form(chexlocalize, (boxed("view1_frontal.jpg", "Edema"),), split="validate"),
    "CheXlocalize, run lengths": Form(
        chexlocalize_rle, (boxed("view1_frontal.jpg", "Edema"),), split="validate", left_out=1
    ),
    "SIIM-ACR Pneumothorax": Form(siim, (boxed("1.2.3.png", "pneumothorax"),)),
    "COCO, boxes": Form(coco_boxes, MASS, left_out=1),
    "COCO, polygons": Form(coco_polygons, MASS, left_out=1),
    "COCO, run lengths": Form(coco_rle, MASS, left_out=1),
    "COCO, a category missing": Form(coco_without_category, MASS, left_out=1),
    "COCO, split and patient inside": Form(coco_nested, MASS),
    "YOLO": Form(yolo, MASS, left_out=1),
    "YOLO, polygons": Form(yolo_polygons, MASS, left_out=1),
    "Pascal VOC": Form(voc, (boxed("0.jpg"),)),
    "LabelMe": Form(labelme, (boxed(), boxed("0.png", "rib", (10, 10, 100, 80)))),
    "a hub's image folder with objects": Form(hub_objects, MASS, left_out=1),
    "boxes in thousandths": Form(thousandths, MASS),
    "masks as PNG": Form(masks_png, MASS, left_out=1),
    "masks as NIfTI": Form(masks_nifti, (Seen(("case_001_0000.nii.gz",), "mass", ("",), ((2, 3, 8, 9),)),)),
}
