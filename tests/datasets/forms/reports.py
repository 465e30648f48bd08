"""Reports and captions in published forms."""

from __future__ import annotations

from pathlib import Path

from tests.datasets.forms.form import Form, Seen, picture, pictures, put, put_json

BOTH = "Clear lungs. Normal."


def iu_xray_kaggle(root: Path) -> None:
    pictures(root / "images/images_normalized", "1_a.dcm", "1_b.dcm")
    put(
        root / "indiana_reports.csv",
        "uid,MeSH,Problems,image,indication,comparison,findings,impression\n"
        "1,normal,normal,Xray Chest PA and Lateral,Cough,None.,Clear lungs.,Normal.\n",
    )
    put(
        root / "indiana_projections.csv",
        "uid,filename,projection\n1,1_a.dcm.png,Frontal\n1,1_b.dcm.png,Lateral\n",
    )


def iu_xray_r2gen(root: Path) -> None:
    pictures(root / "images/CXR1", "0", "1")
    row = {
        "id": "CXR1",
        "report": "Clear lungs.",
        "image_path": ["CXR1/0.png", "CXR1/1.png"],
        "split": "train",
    }
    put_json(root / "annotation.json", {"train": [row], "val": [], "test": []})


def mimic_cxr(root: Path) -> None:
    folder = "files/p10/p10000001/s50000001"
    picture(root / f"{folder}/a-b.jpg")
    put(root / f"{folder}.txt", "FINAL REPORT\n FINDINGS: Clear lungs.\n\n IMPRESSION: Normal.\n")
    put(
        root / "mimic-cxr-2.0.0-split.csv",
        "dicom_id,study_id,subject_id,split\na-b,50000001,10000001,train\n",
    )
    put(
        root / "mimic-cxr-2.0.0-metadata.csv",
        "dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition\na-b,10000001,50000001,CHEST,PA\n",
    )
    put(
        root / "mimic_cxr_sectioned.csv",
        "study,impression,findings,last_paragraph,comparison\ns50000001,Normal.,Clear lungs.,,\n",
    )


def study_rows(root: Path) -> None:
    pictures(root)
    put(
        root / "reports.csv",
        "study_id,findings,impression,view,path\n"
        "1,Clear lungs.,Normal.,lateral,1.png\n1,Clear lungs.,Normal.,frontal,0.png\n"
        "2,,Effusion.,frontal,2.png\n",
    )


def chexpert_plus(root: Path) -> None:
    folder = "train/patient00001/study1"
    picture(root / f"PNG/{folder}/view1_frontal.png")
    picture(root / "PNG/train/patient00002/study1/view1_frontal.png", 1)
    columns = (
        "path_to_image,path_to_dcm,frontal_lateral,ap_pa,deid_patient_id,patient_report_date_order,report,"
        "section_findings,section_impression,age,sex,split"
    )
    put(
        root / "df_chexpert_plus.csv",
        f"{columns}\n"
        f"{folder}/view1_frontal.png,x.dcm,Frontal,PA,patient00001,1,FINDINGS: Clear lungs.,"
        "Clear lungs.,Normal.,50,F,train\n"
        "train/patient00002/study1/view1_frontal.png,y.dcm,Frontal,PA,patient00002,1,None,,,51,M,train\n",
    )


def rexgradient(root: Path) -> None:
    pictures(root / "deid_png/p1/s1")
    put(
        root / "metadata/train_metadata.csv",
        "id,StudyDescription,Indication,Comparison,Findings,Impression,ImagePath\n"
        "p1_s1,CHEST,Cough,None,Clear lungs.,Normal.,\"['deid_png/p1/s1/0.png', 'deid_png/p1/s1/1.png']\"\n",
    )


def padchest(root: Path) -> None:
    pictures(root / "images", "0", "3")
    put(
        root / "labels.csv",
        "ImageID,StudyID,PatientID,Projection,Pediatric,Report,Labels\n"
        "0.png,s1,p1,PA,No,pulmones claros .,\"['normal']\"\n"
        "3.png,s2,p2,L,No,pulmones claros .,\"['normal']\"\n",
    )


def roco(root: Path) -> None:
    pictures(root / "data/train/radiology/images", "ROCO_00001", "ROCO_00002", ending=".jpg")
    put(root / "data/train/radiology/captions.txt", "ROCO_00001\tClear lungs.\nROCO_00002\tNormal.\n")


def imageclef(root: Path) -> None:
    pictures(root / "train", "ImageCLEFmedCaption_2022_train_000001", ending=".jpg")
    put(
        root / "caption_prediction_train.csv",
        "ID\tcaption\nImageCLEFmedCaption_2022_train_000001\tClear lungs.\n",
    )


def image_folder(root: Path) -> None:
    pictures(root / "train", "0", "3")
    put(root / "train/metadata.csv", "file_name,text\n0.png,Clear lungs.\n3.png,Normal.\n")


def joined(images: tuple[str, ...], text: str) -> tuple[Seen, ...]:
    return (Seen(images, "", (text,)),)


FORMS = {
    "IU-Xray, Kaggle": Form(
        iu_xray_kaggle, joined(("1_a.dcm.png", "1_b.dcm.png"), "Clear lungs."), split="train"
    ),
    "IU-Xray, R2Gen": Form(iu_xray_r2gen, joined(("CXR1/0.png", "CXR1/1.png"), "Clear lungs.")),
    "MIMIC-CXR-JPG": Form(mimic_cxr, joined(("a-b.jpg",), BOTH)),
    "rows of a study": Form(
        study_rows, (Seen(("0.png", "1.png"), "", (BOTH,)), Seen(("2.png",), "", ("Effusion.",)))
    ),
    "CheXpert Plus": Form(chexpert_plus, joined(("view1_frontal.png",), BOTH), left_out=1),
    "ReXGradient": Form(rexgradient, joined(("0.png", "1.png"), BOTH)),
    "PadChest": Form(padchest, joined(("0.png",), "pulmones claros ."), left_out=1),
    "ROCO": Form(
        roco, (*joined(("ROCO_00001.jpg",), "Clear lungs."), *joined(("ROCO_00002.jpg",), "Normal."))
    ),
    "ImageCLEFmedical Caption": Form(imageclef, joined(("train_000001.jpg",), "Clear lungs.")),
    "a hub's image folder with captions": Form(
        image_folder, (*joined(("0.png",), "Clear lungs."), *joined(("3.png",), "Normal."))
    ),
}
