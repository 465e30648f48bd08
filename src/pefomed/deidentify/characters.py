"""Chinese characters that are written in several ways in names: simplified, traditional, Japanese, old forms.

Those of the most frequent surnames and of many given names; it is no dictionary of all characters.
"""

from __future__ import annotations

_SAME = """
张張 刘劉 陈陳 杨楊 赵趙 黄黃 吴吳呉 孙孫 马馬 罗羅 郑鄭 谢謝 韩韓 冯馮 邓鄧 许許 萧蕭
叶葉 苏蘇 吕呂 蒋蔣 贾賈 钟鍾鐘 谭譚 陆陸 汤湯 卢盧 龙龍竜 万萬 钱錢 严嚴 顾顧 毕畢
关關関 庄莊荘 欧歐 诸諸 闫閆 阎閻 鲁魯 颜顏 温溫 骆駱 庞龐 邹鄒 聂聶 齐齊斉斎齋 蓝藍
简簡 赖賴頼 连連 涂塗 项項 贺賀 龚龔 娄婁 单單単 费費 纪紀 缪繆 谈談 宁寧甯 兰蘭 乐樂楽
师師 应應応 伟偉 丽麗 军軍 国國 华華 红紅 云雲 凤鳳 东東 杰傑 庆慶 荣榮栄 贵貴 宝寶
义義 莹瑩 颖穎頴 晓曉暁 艳豔艷 梦夢 强強 刚剛 辉輝 鹏鵬 飞飛 静靜 兴興 胜勝 爱愛 银銀
铁鐵鉄 钢鋼 锋鋒 锐銳鋭 锦錦 琼瓊 维維 纯純 绍紹 继繼継 绪緒 缘緣縁 纲綱 统統 经經経
书書 诗詩 诚誠 谦謙 让讓譲 贤賢 贞貞 资資 达達 运運 远遠 进進 迁遷 选選 阳陽 阴陰 际際
难難 雾霧 顺順 领領 风風 骏駿 鸿鴻 鹤鶴 学學 实實実 宾賓 寿壽 将將 尔爾 层層 岚嵐 峰峯
岭嶺 带帶帯 广廣広 开開 归歸帰 异異 弥彌 录錄録 忆憶 怀懷 恋戀 恒恆 悦悅 战戰戦 时時
显顯顕 晋晉 权權権 条條 来來 标標 树樹 桥橋 检檢検 汉漢 沟溝 泽澤沢 洁潔 济濟済 涛濤
润潤 渊淵渕 满滿満 滨濱濵浜 潜潛 灵靈霊 灿燦 炜煒 烟煙 焕煥 状狀 独獨 琏璉 瑶瑤 畅暢
盖蓋 监監 礼禮 祯禎 禄祿 离離 种種 积積 稳穩穏 竞競 笔筆 绿綠緑 群羣 肃肅 胆膽 艺藝芸
苍蒼 荫蔭 药藥薬 莲蓮 萤螢蛍 虑慮 补補 见見 观觀観 规規 觉覺覚 览覽 训訓 词詞 详詳 语語
谊誼 贝貝 财財 质質 赞贊賛 轩軒 轮輪 邻鄰 长長 门門 问問 间間 闻聞 队隊 陇隴 韵韻 页頁
须須 频頻 驰馳 鱼魚 鸣鳴 龟龜亀 沈瀋 岛島嶋嶌 樱櫻桜 真眞 边邊邉辺 瀬瀨濑 惠恵 圆圓円
崎﨑嵜 高髙 德徳 桑桒 柳栁 浅淺 宽寬寛 岩巖巌 富冨 槙槇 吉𠮷 曾曽 増增
"""
VARIANTS = {ord(other): group[0] for group in _SAME.split() for other in group[1:] if other != group[0]}
"""Character -> the one of its group that stands for all."""
