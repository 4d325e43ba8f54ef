"""The one style sheet, built from the design tokens."""

from __future__ import annotations

import dataclasses
from string import Template
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from smtp_desk.ui.widgets.colours import Colours

_TITLE = 1.65
_HEADING = 1.15
_SMALL = 0.92
_BOX = 1.6  # pixels a point: as high as the text

_SHEET: Final = Template(
    """
QMainWindow, QDialog, #page, #column { background: $window; color: $text; }
#sandbox_strip { background: $warning_ground; border: none; border-bottom: 1px solid $line; }
#sandbox_strip QLabel { color: $warning; font-weight: 600; }
QToolTip {
    background: $surface; color: $text; border: 1px solid $edge; padding: 4px 6px;
}
QLabel { background: transparent; color: $text; }
QCheckBox::indicator { width: ${box}px; height: ${box}px; }
QMessageBox QLabel#qt_msgbox_label { font-weight: 600; }
QLabel[rank="title"] { font-size: ${title}pt; font-weight: 600; }
QLabel[rank="heading"] { font-size: ${heading}pt; font-weight: 600; }
QLabel[rank="label"] { font-weight: 500; }
QLabel[rank="strong"] { font-weight: 600; }
QLabel[rank="muted"] { color: $muted; }
QLabel[rank="chip"] {
    color: $muted; background: $raised; font-size: ${small}pt; font-weight: 600;
    border-radius: 8px; padding: 3px 8px;
}
QLabel[rank="small"], QLabel[rank="fact"], QLabel[rank="short-fact"], QLabel[rank="time"] {
    color: $muted; font-size: ${small}pt;
}
QLabel[rank="fact"] { min-width: 11em; max-width: 11em; }
QLabel[rank="short-fact"] { min-width: 6em; max-width: 6em; }
QLabel[rank="time"] { min-width: 4.4em; max-width: 4.4em; }
QLabel[face="fixed"], QPlainTextEdit[face="fixed"] { font-family: "$fixed"; }
QLabel[tone="muted"] { color: $muted; }
QLabel[tone="accent"] { color: $accent; }
QLabel[tone="success"] { color: $success; }
QLabel[tone="warning"] { color: $warning; }
QLabel[tone="danger"] { color: $danger; }

QScrollArea, #scrolled { background: transparent; border: none; }
QScrollBar:vertical { background: transparent; width: 12px; margin: 2px; }
QScrollBar::handle:vertical {
    background: $edge; border-radius: 3px; min-height: 32px; margin: 0 1px;
}
QScrollBar::handle:vertical:hover { background: $muted; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 2px; }
QScrollBar::handle:horizontal {
    background: $edge; border-radius: 3px; min-width: 32px; margin: 1px 0;
}
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

#sidebar { background: $sidebar; border: none; }
#sidebar_edge { background: $line; }
#navigation { background: transparent; border: none; outline: none; }
#navigation::item {
    color: $text; border: 2px solid transparent; border-radius: 8px; padding: 7px 8px;
}
#navigation::item:hover { background: $hover; }
#navigation::item:selected { background: $selected; color: $text; font-weight: 600; }
#navigation::item:selected:focus { border-color: $accent; }

QFrame[card="true"] { background: $surface; border: 1px solid $line; border-radius: 12px; }
QFrame[card="true"][ring="on"] { border: 2px solid $accent; }
QFrame[rule="true"] { background: $line; border: none; max-height: 1px; min-height: 1px; }
#action_bar { background: $surface; border: none; border-top: 1px solid $line; }

QFrame[panel="success"] { background: $success_ground; border: none; border-radius: 8px; }
QFrame[panel="warning"] { background: $warning_ground; border: none; border-radius: 8px; }
QFrame[panel="danger"] { background: $danger_ground; border: none; border-radius: 8px; }
QFrame[panel="plain"] { background: $raised; border: none; border-radius: 8px; }
QFrame[panel][ring="on"] { border: 2px solid $accent; }
#outcome, #relay_outcome { font-weight: 600; }
#drop_hint {
    background: $surface; color: $accent; border: 3px dashed $accent; border-radius: 12px;
    font-size: ${heading}pt; font-weight: 600; margin: 12px;
}

QLineEdit, QComboBox {
    background: $field; color: $text; border: 1px solid $edge; border-radius: 8px;
    padding: 7px 10px; selection-background-color: $accent; selection-color: $on_accent;
    placeholder-text-color: $muted;
}
QLineEdit:hover, QComboBox:hover { border-color: $muted; }
QLineEdit:focus, QComboBox:focus { border: 2px solid $accent; padding: 6px 9px; }
QLineEdit[trouble="danger"] { border-color: $danger; }
QLineEdit[trouble="danger"]:focus { border: 2px solid $danger; padding: 6px 9px; }
QLineEdit[kind="copied"], QLineEdit[kind="managed"] { background: $raised; border-color: $line; }
QLineEdit[kind="copied"]:focus, QLineEdit[kind="managed"]:focus { border-color: $accent; }
QLineEdit:disabled, QComboBox:disabled { color: $muted; background: $raised; }
QComboBox::drop-down { border: none; width: 30px; }
QComboBox::down-arrow { image: none; }
QComboBox QAbstractItemView {
    background: $surface; color: $text; border: 1px solid $edge; padding: 4px; outline: none;
    selection-background-color: $selected; selection-color: $text;
}
QComboBox QAbstractItemView::item { padding: 6px 8px; border-radius: 6px; min-height: 20px; }
QPlainTextEdit, QTextBrowser {
    background: $surface; color: $text; border: 1px solid $line; border-radius: 8px; padding: 4px;
    selection-background-color: $accent; selection-color: $on_accent;
    placeholder-text-color: $muted;
}
QPlainTextEdit[readOnly="false"] { background: $field; border-color: $edge; }
QPlainTextEdit[readOnly="false"]:hover { border-color: $muted; }
#email_html, #email_text { min-height: 22em; }
#guide_text { min-height: 16em; }
QPlainTextEdit:focus, QTextBrowser:focus, QPlainTextEdit[readOnly="false"]:focus {
    border: 2px solid $accent; padding: 3px;
}

QPushButton {
    background: $raised; color: $text; border: 1px solid $edge; border-radius: 8px;
    padding: 7px 14px; font-weight: 500;
}
QPushButton:hover { background: $hover; }
QPushButton:pressed { background: $selected; }
QPushButton:focus { border: 2px solid $accent; padding: 6px 13px; }
QPushButton:disabled { color: $muted; background: transparent; border: 1px solid $line; }
QPushButton[kind="primary"] { background: $accent; color: $on_accent; border: 1px solid $accent; }
QPushButton[kind="primary"]:hover, QPushButton[kind="primary"]:pressed {
    background: $accent_hover; border-color: $accent_hover;
}
QPushButton[kind="primary"]:focus { border: 2px solid $ring; }
QPushButton[kind="primary"]:disabled {
    color: $muted; background: $hover; border: 1px solid $line;
}
QPushButton[kind="destructive"] { color: $danger; }
QPushButton[kind="destructive"]:disabled { color: $muted; }
QPushButton[kind="link"] {
    background: transparent; border: 2px solid transparent; color: $accent; padding: 2px 0;
    border-radius: 6px;
}
QPushButton[kind="link"]:hover { background: $hover; }
QPushButton[kind="link"]:focus { border-color: $accent; padding: 2px 0; }
QPushButton[kind="row"] {
    background: $surface; border: 1px solid $line; border-radius: 8px; padding: 0; text-align: left;
}
QPushButton[kind="row"]:hover { background: $hover; }
QPushButton[kind="row"]:focus { border: 2px solid $accent; padding: 0; }
QPushButton[kind="fold"] {
    background: transparent; border: 2px solid transparent; border-radius: 11px; padding: 0;
    text-align: left;
}
QPushButton[kind="fold"]:hover { background: $hover; }
QPushButton[kind="fold"]:focus { border-color: $accent; padding: 0; }
QPushButton[kind="choice"] {
    background: transparent; border: 1px solid $line; border-radius: 8px; padding: 5px 10px;
}
QPushButton[kind="choice"]:hover { background: $hover; }
QPushButton[kind="choice"]:checked { background: $selected; border-color: $accent; }
QPushButton[kind="choice"]:focus { border: 2px solid $accent; padding: 4px 9px; }

QToolButton {
    background: $raised; border: 1px solid $edge; border-radius: 8px; padding: 4px;
}
QToolButton:hover { background: $hover; }
QToolButton:checked { background: $selected; }
QToolButton:focus { border: 2px solid $accent; padding: 3px; }
QToolButton:disabled { background: transparent; border: 1px solid $line; }

QListWidget#mails, QListWidget#email_variants, QListWidget#palette_list {
    background: $surface; color: $text; border: 1px solid $line; border-radius: 8px; padding: 4px;
    outline: none; placeholder-text-color: $muted;
}
QListWidget#mails::item, QListWidget#email_variants::item, QListWidget#palette_list::item {
    border-radius: 6px;
}
QListWidget#email_variants::item { padding: 6px 8px; }
QListWidget#mails::item:hover, QListWidget#email_variants::item:hover,
QListWidget#palette_list::item:hover { background: $hover; }
QListWidget#mails::item:selected, QListWidget#email_variants::item:selected,
QListWidget#palette_list::item:selected {
    background: $selected; color: $text;
}
QListWidget#mails:focus, QListWidget#email_variants:focus {
    border: 2px solid $accent; padding: 3px;
}
#palette { background: $surface; border: 1px solid $edge; }
QListWidget#palette_list { border: none; padding: 0; }
QTableView#emails {
    background: $surface; color: $text; border: 1px solid $line; border-radius: 8px;
    outline: none; selection-background-color: $selected; selection-color: $text;
}
QTableView#emails::item { padding: 0 6px; border: none; }
QTableView#emails::item:selected { background: $selected; color: $text; }
QTableView#emails:focus { border: 2px solid $accent; }
QTableView#emails::corner { background: transparent; border: none; }
QHeaderView { background: transparent; border: none; }
QHeaderView::section {
    background: transparent; color: $muted; border: none; border-bottom: 1px solid $line;
    padding: 6px 8px; font-weight: 500;
}
QTabWidget::pane { border: none; }
QTabBar { font-weight: 500; }
QTabBar::tab {
    background: transparent; color: $text; padding: 6px 12px; margin: 2px 2px 6px 2px;
    border: 2px solid transparent; border-radius: 8px;
}
QTabBar::tab:selected { background: $selected; }
QTabBar::tab:hover:!selected { background: $hover; }
QTabBar::tab:focus { border-color: $accent; }
QSplitter::handle { background: transparent; }

QMenuBar { background: $window; color: $text; padding: 2px; }
QMenuBar::item { padding: 4px 8px; border-radius: 6px; background: transparent; }
QMenuBar::item:selected { background: $hover; }
QMenu { background: $surface; color: $text; border: 1px solid $edge; padding: 4px; }
QMenu::item { padding: 6px 24px 6px 12px; border-radius: 6px; }
QMenu::item:selected { background: $selected; color: $text; }
QMenu::item:disabled { color: $muted; }
QMenu::separator { height: 1px; background: $line; margin: 4px 8px; }
"""
)


def stylesheet(colours: Colours, points: float, fixed: str) -> str:
    """Return the style sheet.

    Args:
        colours: The scheme.
        points: Size of the body text; headings keep their ratio to it.
        fixed: Family of the fixed-width font.
    """
    return _SHEET.substitute(
        dataclasses.asdict(colours),
        fixed=fixed,
        title=f"{points * _TITLE:.1f}",
        heading=f"{points * _HEADING:.1f}",
        small=f"{points * _SMALL:.1f}",
        box=round(points * _BOX),
    )
